// {"answer": "undefined,undefined"}
// New code is in the same box.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload:
    [typeof Function("return this")().process,
     typeof (0, eval)("typeof require === 'undefined' ? undefined : 1")] + ""};
}
