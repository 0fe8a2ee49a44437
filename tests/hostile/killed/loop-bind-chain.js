// {"codes": [3010, 3001, 3011]}
// A bound function of a bound function of a ...
function execute() {
  var f = function () {};
  for (;;) { f = f.bind(null, 1); try { f(); } catch (e) {} }
}
