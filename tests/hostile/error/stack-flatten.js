// {"codes": [3001, 3004, 3011]}
// toString of an array that contains itself through another.
function execute() {
  var a = [], b = [a]; a.push(b); a.toString = undefined;
  return "" + a;
}
