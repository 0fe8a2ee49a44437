// {"codes": [3004]}
// A key of a megabyte.
function execute() {
  var r = {status: 2000, user: {id: "x"}, responsePayload: {}};
  r.responsePayload[new Array(1024 * 1024).join("k")] = 1; return r;
}
