// {"codes": [3010, 3004, 3001]}
// A comparison that contradicts itself over a large array.
function execute() {
  var a = []; for (var i = 0; i < 100000; i++) { a.push(i); }
  for (;;) { a.sort(function () { return Math.random() - 0.5; }); }
}
