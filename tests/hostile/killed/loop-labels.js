// {"codes": [3010]}
// Nested labels, continued from the innermost.
function execute() {
  a: for (;;) { b: for (;;) { c: for (;;) { continue a; } } }
}
