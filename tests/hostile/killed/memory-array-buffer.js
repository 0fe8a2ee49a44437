// {"codes": [3011, 3001]}
// Buffers until there are none.
function execute() {
  var a = []; for (;;) { a.push(new ArrayBuffer(1024 * 1024)); }
}
