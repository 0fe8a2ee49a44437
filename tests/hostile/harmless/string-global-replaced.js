// {"data": {"userId": "mine"}, "answer": "mine"}
// The getters do not go to whatever String is now.
String = function () {}; String.prototype = null;
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload: requestPayload.userId};
}
