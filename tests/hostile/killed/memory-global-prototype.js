// {"codes": [3011, 3010, 3001]}
// Filled up in a prototype everybody inherits.
function execute() {
  for (var i = 0; ; i++) { Object.prototype["p" + i] = new Array(999); }
}
