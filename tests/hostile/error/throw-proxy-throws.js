// {"codes": [3001]}
// Every trap throws.
function execute() {
  var fail = function () { throw new Error("trap"); };
  throw new Proxy({}, {get: fail, has: fail, ownKeys: fail,
    getOwnPropertyDescriptor: fail, getPrototypeOf: fail});
}
