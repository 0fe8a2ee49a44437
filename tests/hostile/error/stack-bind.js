// {"codes": [3001, 3011, 3010]}
// A chain of a million bound functions, called once.
function execute() {
  var f = function () {}; 
  for (var i = 0; i < 200000; i++) { f = f.bind(null); }
  return f();
}
