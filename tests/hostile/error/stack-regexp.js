// {"codes": [3001, 3011, 3010]}
// A pattern that deep.
function execute() {
  var n = 100000;
  return new RegExp(new Array(n).join("(") + new Array(n).join(")"));
}
