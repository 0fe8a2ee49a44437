// {"answer": "proxied"}
// A Proxy of a result.
function execute() {
  return new Proxy({status: 2000, user: {id: "x"},
    responsePayload: "proxied"}, {});
}
