// {"answer": "went on"}
// One line of a megabyte.
function execute() {
  LOG.error(new Array(1024 * 1024).join("\u20ac"));
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
