// {"codes": [3001]}
// Every member the operator is shown throws.
function execute() {
  var e = new Error("x");
  ["message", "name", "stack", "fileName", "lineNumber"].forEach(
    function (name) { Object.defineProperty(e, name, {
      get: function () { throw new Error("again"); }}); });
  throw e;
}
