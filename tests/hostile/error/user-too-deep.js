// {"codes": [3004]}
// Deeper than it may be.
function execute() {
  var a = {}; for (var i = 0; i < 50; i++) { a = {a: a}; }
  return {status: 2000, user: {id: "x", a: a}};
}
