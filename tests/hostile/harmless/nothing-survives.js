// {"answer": "undefined,undefined,undefined,0", "times": 5}
// No global, prototype or built-in of the execution before.
var count = count || 0;
function execute() {
  var seen = [typeof leaked, typeof Object.prototype.leaked,
    typeof Math.leaked, count] + "";
  leaked = 1; Object.prototype.leaked = 1; Math.leaked = 1; count++;
  CACHE.leaked = 1; LOG.info = null;
  return {status: 2000, user: {id: "x"}, responsePayload: seen};
}
