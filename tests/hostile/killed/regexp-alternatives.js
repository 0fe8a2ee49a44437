// {"codes": [3010, 3001]}
// Overlapping alternatives.
function execute() {
  return /^(a|aa|aaa)*$/.test(new Array(200).join("a") + "b");
}
