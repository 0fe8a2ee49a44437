// {"codes": [3004]}
// In the payload.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "\ud800"};
}
