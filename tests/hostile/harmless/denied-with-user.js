// {"answer": "no"}
// A user of a refusal gets no token.
function execute() {
  return {status: 4001, user: {id: "admin"}, responsePayload: "no"};
}
