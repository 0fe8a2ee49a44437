// {"codes": [3010]}
// LOG takes an Error's stack: a getter that loops.
function execute() {
  var e = new Error("x");
  Object.defineProperty(e, "stack", {get: function () { for (;;) {} }});
  LOG.error(e);
}
