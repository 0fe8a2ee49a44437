// {"codes": [3010]}
// A comparison that never ends, inside a built-in.
function execute() {
  return [3, 2, 1].sort(function () { while (1) {} });
}
