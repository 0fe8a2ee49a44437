// {"codes": [3011, 3010, 3001]}
// Shared parts that JSON writes out each time.
function execute() {
  var a = ["lol"];
  for (var i = 0; i < 30; i++) { a = [a, a, a, a, a, a, a, a, a, a]; }
  return {status: 2000, user: {id: "x"}, responsePayload: a};
}
