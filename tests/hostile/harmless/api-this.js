// {"answer": "null"}
// Our functions on a this of somebody else.
function execute() {
  var fetch = CACHE.fetch;
  return {status: 2000, user: {id: "x"}, responsePayload:
    "" + fetch.call(null, "none") + "" .concat(
      Reflect.apply(fetch, Symbol("s"), ["none"]) === null ? "" : "!")};
}
