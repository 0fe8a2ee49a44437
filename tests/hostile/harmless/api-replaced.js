// {"answer": "fine", "times": 3}
// Our own globals broken for oneself only.
function execute() {
  CACHE = LOG = PROPERTIES = console = null; delete this.java;
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
