// {"data": "a\u0000b", "answer": "3"}
// NUL is a character.
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload: "" + requestPayload.length};
}
