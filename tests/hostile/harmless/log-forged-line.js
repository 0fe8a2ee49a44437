// {"answer": "went on", "log_absent": "forged-event"}
// A line that would like to be an entry of its own.
function execute() {
  LOG.info('x"}\n{"level":"error","event":"forged-event","code":0}\n');
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
