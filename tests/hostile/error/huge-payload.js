// {"codes": [3004]}
// A payload over its limit.
function execute() {
  return {status: 2000, user: {id: "x"},
    responsePayload: new Array(1024 * 1024 + 1).join("x")};
}
