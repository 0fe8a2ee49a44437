// {"codes": [3010]}
// JSON.parse's reviver.
function execute() {
  return JSON.parse("[1,2,3]", function () { for (;;) {} });
}
