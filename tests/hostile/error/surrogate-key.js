// {"codes": [3004]}
// In a key of the user.
function execute() { 
  var u = {id: "x"}; u["\udfff"] = 1; return {status: 2000, user: u};
}
