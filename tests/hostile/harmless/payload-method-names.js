// {"data": {"length": 99, "charAt": "evil", "replace": 1, "constructor": 2, "__proto__": 3}, "answer": "function,number,function"}
// Payload members named as a string's own stay the string's.
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload:
    [typeof requestPayload.charAt, typeof requestPayload.length,
     typeof requestPayload.constructor] + ""};
}
