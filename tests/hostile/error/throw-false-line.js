// {"codes": [3001]}
// Lies about where it was thrown.
function execute() {
  var e = new Error("lie");
  Object.defineProperty(e, "fileName", {value: "/etc/shadow\u0000\ud800"});
  Object.defineProperty(e, "lineNumber", {value: -1e300});
  Object.defineProperty(e, "stack", {value: "a\nb\u001b[31m\ud800"});
  throw e;
}
