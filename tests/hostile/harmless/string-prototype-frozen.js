// {"data": {"userId": "mine"}, "codes": [0, 3001], "answer": "mine"}
// Frozen before the payload's getters are put there.
Object.freeze(String.prototype);
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"},
    responsePayload: JSON.parse(requestPayload).userId};
}
