// {"codes": [3001, 3011]}
// Through a Proxy's trap.
function execute() {
  var p = new Proxy({}, {get: function (t, k) { return p[k]; }});
  return p.x;
}
