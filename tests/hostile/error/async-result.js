// {"codes": [3004]}
// A thenable is no result.
function execute() {
  return {then: function (f) { f({status: 2000, user: {id: "x"}}); }};
}
