// {"codes": [3004]}
// A list with members.
function execute() {
  var a = [2000]; a.status = 2000; a.user = {id: "x"}; return a;
}
