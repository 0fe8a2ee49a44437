// {"answer": "null"}
// What another identity provider keeps is not there.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload:
    "" + CACHE.fetch("control-secret")};
}
