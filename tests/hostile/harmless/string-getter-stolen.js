// {"data": {"userId": "mine"}, "answer": "undefined,undefined,mine"}
// The payload's getter, called for somebody else.
function execute(requestPayload) {
  var get = Object.getOwnPropertyDescriptor(String.prototype, "userId").get;
  return {status: 2000, user: {id: "x"}, responsePayload:
    [typeof get.call("x"), typeof get.call({}), get.call(requestPayload)] + ""};
}
