// {"answer": "from toJSON"}
// toJSON is honoured, as JSON.stringify does.
function execute() {
  return {toJSON: function () { return {status: 2000, user: {id: "x"},
    responsePayload: "from toJSON"}; }};
}
