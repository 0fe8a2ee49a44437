// {"answer": "fine"}
// Conversions nobody calls.
Object.prototype.toString = Object.prototype.valueOf = function () {
  throw new Error("called"); };
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
