// {"answer": "own-value"}
// Whatever is written there, get answers from the release.
function execute() {
  try { PROPERTIES.shared_value = "changed"; } catch (e) {}
  Object.prototype.shared_value = "polluted";
  return {status: 2000, user: {id: "x"},
    responsePayload: PROPERTIES.get("shared_value")};
}
