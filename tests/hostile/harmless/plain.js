// {"answer": "fine"}
// The measure of all others.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
