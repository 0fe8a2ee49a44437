// {"codes": [3010, 3011, 3001]}
// Reversing one.
function execute() {
  var a = [1]; a.length = 4294967295; a.reverse(); return a;
}
