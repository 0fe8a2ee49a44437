// {"entry": "backchannel", "answer": "fine"}
// A user in backchannel means nothing.
function execute() {
  return {status: 2000, user: {id: "admin"}, responsePayload: "fine"};
}
