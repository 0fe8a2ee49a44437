// {"codes": [3010, 3001]}
// Catastrophic backtracking.
function execute() {
  return /^(a+)+$/.test(new Array(64).join("a") + "!");
}
