// {"codes": [3011, 3010, 3001]}
// An array whose holes may cost.
function execute() {
  var a = []; for (var i = 0; ; i++) { a[i * 1000] = i; }
}
