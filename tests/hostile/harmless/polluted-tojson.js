// {"answer": "1"}
// toJSON is asked of objects, not of a status that is a number.
Number.prototype.toJSON = String.prototype.toJSON = function () {
  return "2000"; };
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "1"};
}
