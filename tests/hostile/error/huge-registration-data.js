// {"entry": "init", "codes": [3004]}
// What init hands on is bounded.
function execute() {
  return {status: 2000, registrationData: new Array(20000).join("x")};
}
