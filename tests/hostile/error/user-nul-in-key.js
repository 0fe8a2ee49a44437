// {"codes": [3004]}
// An attribute whose name ends early for whoever uses C strings.
function execute() {
  return {status: 2000, user: {id: "x", "admin\u0000": true}};
}
