// {"answer": "100"}
// A payload of a depth that is allowed.
function execute() {
  var a = [], depth = 0; for (var i = 0; i < 99; i++) { a = [a]; }
  for (; a !== undefined; a = a[0]) { depth++; }
  return {status: 2000, user: {id: "x"}, responsePayload: "" + depth};
}
