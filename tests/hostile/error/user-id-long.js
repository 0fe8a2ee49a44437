// {"codes": [3004]}
// Longer than a subject may be.
function execute() {
  return {status: 2000, user: {id: new Array(257).join("x")}};
}
