// {"codes": [3010]}
// The same for its stack.
function execute() {
  var e = new Error("x");
  Object.defineProperty(e, "stack", {get: function () { for (;;) {} }});
  throw e;
}
