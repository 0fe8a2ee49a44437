// {"codes": [3011, 3010, 3001]}
// Closures that hold each other.
function execute() {
  var f = null;
  for (;;) { f = (function (g) { return function () { return g; }; })(f); }
}
