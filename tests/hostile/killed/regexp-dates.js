// {"codes": [3010, 3001]}
// In a try that hopes to go on.
function execute() {
  while (1) {
    try { /^(([a-z])+.)+[A-Z]([a-z])+$/.exec(new Array(64).join("a")); }
    catch (e) {}
  }
}
