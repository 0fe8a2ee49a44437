// {"answer": "true"}
// The clock is today's and moves.
function execute() {
  var begin = Date.now(), now = begin;
  while (now === begin) { now = Date.now(); }
  return {status: 2000, user: {id: "x"},
    responsePayload: "" + (now > 1600000000000)};
}
