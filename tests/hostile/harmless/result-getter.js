// {"answer": "1"}
// Each member is read once.
function execute() {
  var reads = 0;
  return {status: 2000, user: {id: "x"},
    get responsePayload() { return "" + ++reads; }};
}
