// {"line": 4}
// A literal that cannot be compiled.
function execute() {
  return /(/.test("x");
}
