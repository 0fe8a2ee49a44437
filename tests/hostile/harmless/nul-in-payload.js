// {"answer": "a\u0000b"}
// NUL on its way out.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "a\u0000b"};
}
