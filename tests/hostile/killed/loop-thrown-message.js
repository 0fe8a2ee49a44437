// {"codes": [3010]}
// A getter on the Error that is reported.
function execute() {
  var e = new Error("x");
  Object.defineProperty(e, "message", {get: function () { for (;;) {} }});
  throw e;
}
