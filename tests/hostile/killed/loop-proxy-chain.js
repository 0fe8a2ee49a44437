// {"codes": [3010, 3001]}
// Proxies whose traps wait for each other.
function execute() {
  var p = {};
  for (var i = 0; i < 3; i++) {
    p = new Proxy(p, {get: function (t, k) { while (1) { t[k]; } }});
  }
  return p.status;
}
