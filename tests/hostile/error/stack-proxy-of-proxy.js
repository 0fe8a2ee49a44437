// {"codes": [3001, 3011, 3010]}
// A million Proxies deep, in native code.
function execute() {
  var p = {}; for (var i = 0; i < 100000; i++) { p = new Proxy(p, {}); }
  return p.status;
}
