// {"codes": [3010, 3011, 3001]}
// Sorting a sparse array of the greatest length there is.
function execute() {
  var a = []; a[4294967294] = 1; a.sort(); return a;
}
