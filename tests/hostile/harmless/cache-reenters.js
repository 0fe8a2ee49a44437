// {"answer": "{\"inner\":1},inner"}
// toJSON of a value uses the cache under it.
function execute() {
  CACHE.store("outer", {toJSON: function () {
    CACHE.store("inner", "inner"); return {inner: 1}; }});
  return {status: 2000, user: {id: "x"}, responsePayload:
    CACHE.fetch("outer") + "," + CACHE.take("inner")};
}
