// {"answer": "frozen"}
// A frozen result of a frozen world.
function execute() {
  Object.freeze(Object.prototype); Object.freeze(this);
  return Object.freeze({status: 2000, user: Object.freeze({id: "x"}),
    responsePayload: "frozen"});
}
