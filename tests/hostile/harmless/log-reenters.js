// {"answer": "went on"}
// toJSON of an argument logs, calls the cache and changes the line's buffer.
function execute() {
  LOG.info("{} {}", {toJSON: function () {
    LOG.info(new Array(20000).join("y")); CACHE.fetch("k"); return "a"; }},
    {toJSON: function () { LOG.warn("again"); return "b"; }});
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
