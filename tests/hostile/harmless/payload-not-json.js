// {"data": "{\"a\":", "answer": "string"}
// What is no JSON is a string.
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload: typeof requestPayload};
}
