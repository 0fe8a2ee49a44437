// {"codes": [3004]}
// A function, which JSON leaves out.
function execute() {
  var u = function () {}; u.id = "x"; return {status: 2000, user: u};
}
