// {"answer": "fine"}
// Duktape's finalizers need its global: this one never runs.
function execute() {
  var o = {}; o["\xffFinalizer"] = function () { while (1) {} };
  o._Finalizer = o["\xff\xffFinalizer"] = o["\xffFinalizer"]; o = null;
  for (var i = 0; i < 20000; i++) { ({}); }
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
