// {"codes": [3010]}
// Logs for ever: the log is cut, the clock ends it.
function execute() {
  for (;;) { LOG.info("spam {}", new Array(1000).join("spam")); }
}
