// {"data": {"userId": "mine"}, "answer": "mine,undefined"}
// The payload's own members read through a changed String.prototype.
String.prototype.toString = String.prototype.valueOf = function () {
  return "theirs"; };
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload:
    requestPayload.userId + "," + "other".userId};
}
