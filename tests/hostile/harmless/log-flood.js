// {"answer": "went on"}
// Beyond its limit the log is cut and the run goes on.
function execute() {
  for (var i = 0; i < 5000; i++) { LOG.info("flood {} {}", i, new Array(99)); }
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
