// {"codes": [3010]}
// And for its file name.
function execute() {
  var e = new Error("x");
  Object.defineProperty(e, "fileName", {get: function () { for (;;) {} }});
  throw e;
}
