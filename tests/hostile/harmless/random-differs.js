// {"answer_differs": true, "times": 5}
// No two executions draw the same numbers, whatever the template drew.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload:
    [Math.random(), java.util.UUID.randomUUID()] + ""};
}
