// {"codes": [3001, 3011, 3010]}
// An argument list of a million.
function execute() {
  return Math.max.apply(null, new Array(1000000));
}
