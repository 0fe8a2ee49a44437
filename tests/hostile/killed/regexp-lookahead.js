// {"codes": [3010, 3001]}
// Backtracking inside a lookahead.
function execute() {
  for (;;) { /(?=(a+)+$)b/.test(new Array(40).join("a") + "c"); }
}
