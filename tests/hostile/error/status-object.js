// {"codes": [3004]}
// An object with a valueOf.
function execute() {
  return {status: {valueOf: function () { return 2000; }}, user: {id: "x"}};
}
