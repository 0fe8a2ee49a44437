// {"codes": [3010]}
// A prototype chain that a Proxy makes endless.
function execute() {
  var p = new Proxy({}, {getPrototypeOf: function () { return p; },
                         get: function (t, k) { for (;;) {} }});
  return p.anything;
}
