// {"codes": [3010]}
// String.prototype.replace calls back for ever.
function execute() {
  return "aaaa".replace(/a/g, function () { while (1) {} });
}
