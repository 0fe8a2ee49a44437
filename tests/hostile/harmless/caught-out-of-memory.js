// {"answer": "caught"}
// So is a refused allocation.
function execute() {
  try { new ArrayBuffer(1e9); } catch (e) {
    return {status: 2000, user: {id: "x"}, responsePayload: "caught"}; }
}
