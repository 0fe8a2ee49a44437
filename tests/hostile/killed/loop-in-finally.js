// {"codes": [3010]}
// A return that finally takes back.
function execute() {
  while (1) { try { return 1; } finally { continue; } }
}
