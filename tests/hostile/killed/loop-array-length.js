// {"codes": [3010, 3001]}
// A built-in that walks an array-like of four thousand million.
function execute() {
  return Array.prototype.indexOf.call({length: 4294967295}, 1);
}
