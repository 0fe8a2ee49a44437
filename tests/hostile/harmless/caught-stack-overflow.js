// {"answer": "RangeError"}
// A stack overflow is an error that can be caught.
function f() { return f() + 1; }
function execute() {
  try { f(); } catch (e) {
    return {status: 2000, user: {id: "x"}, responsePayload: e.name}; }
}
