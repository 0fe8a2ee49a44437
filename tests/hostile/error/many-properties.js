// {"codes": [3004, 3010, 3011]}
// A hundred thousand of them.
function execute() {
  var p = {}; for (var i = 0; i < 100000; i++) { p["k" + i] = i; }
  return {status: 2000, user: {id: "x"}, responsePayload: p};
}
