// {"codes": [3010]}
// JSON.stringify's replacer.
function execute() {
  return JSON.stringify({a: 1}, function () { for (;;) {} });
}
