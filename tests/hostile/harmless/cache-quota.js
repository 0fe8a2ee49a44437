// {"answer": "kept"}
// Its own entries, in its own namespace, within its calls.
function execute() {
  for (var i = 0; i < 15; i++) { CACHE.store("q" + i, "v" + i, 1); }
  CACHE.store("k", "kept");
  return {status: 2000, user: {id: "x"}, responsePayload: CACHE.take("k")};
}
