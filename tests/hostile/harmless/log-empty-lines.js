// {"answer": "went on"}
// Empty lines are not free.
function execute() {
  for (var i = 0; i < 100000; i++) { LOG.trace(""); }
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
