// {"codes": [3004]}
// Symbols called like members.
function execute() {
  var r = {}; r[Symbol("status")] = 2000; r[Symbol.for("user")] = {id: "x"};
  return r;
}
