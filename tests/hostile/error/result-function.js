// {"codes": [3004]}
// A function with members.
function execute() {
  var f = function () {}; f.status = 2000; f.user = {id: "x"}; return f;
}
