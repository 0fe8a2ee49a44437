// {"data": "\ud83d\ude00", "answer": "2,\ud83d\ude00"}
// Outside the first plane, there and back.
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"}, responsePayload:
    requestPayload.length + "," + requestPayload};
}
