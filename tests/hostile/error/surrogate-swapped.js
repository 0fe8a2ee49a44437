// {"codes": [3004]}
// A pair the wrong way round.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "\udc00\ud800"};
}
