// {"codes": [3004]}
// More attributes than a user may have bytes.
function execute() {
  return {status: 2000, user: {id: "x", a: new Array(9000).join("x")}};
}
