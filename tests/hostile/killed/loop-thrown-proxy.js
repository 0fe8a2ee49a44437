// {"codes": [3010]}
// A thrown Proxy, asked for its members.
function execute() {
  throw new Proxy({}, {get: function () { while (1) {} }});
}
