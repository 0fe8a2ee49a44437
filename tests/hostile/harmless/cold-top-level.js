// {"answer": "cold"}
// A top level that needs the outside runs inside each execution.
var first = Math.random() + Date.now();
CACHE.store("top", "cold");
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: CACHE.take("top")};
}
