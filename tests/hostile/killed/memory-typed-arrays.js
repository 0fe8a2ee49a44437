// {"codes": [3011, 3010, 3001]}
// Views of them.
function execute() {
  var a = [];
  for (;;) { a.push(new Float64Array(65536), new Uint8Array(100)); }
}
