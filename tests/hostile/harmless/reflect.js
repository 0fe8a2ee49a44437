// {"answer": "fine"}
// Reflect and Proxy with traps that break their promises.
function execute() {
  var frozen = Object.freeze({a: 1});
  var p = new Proxy(frozen, {get: function () { return 2; },
    ownKeys: function () { return ["a", "a", "b"]; },
    getOwnPropertyDescriptor: function () { return {value: 2}; },
    deleteProperty: function () { return true; },
    defineProperty: function () { return true; },
    has: function () { return false; }});
  [function () { p.a; }, function () { Object.keys(p); },
   function () { delete p.a; }, function () { "a" in p; },
   function () { Object.defineProperty(p, "b", {value: 1}); },
   function () { Object.getOwnPropertyDescriptor(p, "a"); },
   function () { Reflect.ownKeys(p); },
   function () { Reflect.construct(Array, [1], Proxy); },
   function () { Reflect.construct(function () {}, {length: 1e9}); },
   function () { Reflect.set({}, "a", 1, p); },
   function () { Reflect.setPrototypeOf(frozen, p); },
   function () { Object.setPrototypeOf(Object.prototype, p); },
   function () { new Proxy(p, p).x; }
  ].forEach(function (f) { try { f(); } catch (e) {} });
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
