// {"codes": [3001, 3004]}
// Contains itself.
function execute() {
  var r = {status: 2000, user: {id: "x"}}; r.responsePayload = r; return r;
}
