// {"codes": [3010]}
// Reading the result is on the script's clock.
function execute() {
  return {get status() { while (1) {} }, user: {id: "x"}};
}
