// {"codes": [3001, 3004, 3011]}
// An array that deep.
function execute() {
  var a = []; for (var i = 0; i < 200000; i++) { a = [a]; }
  return {status: 2000, responsePayload: a};
}
