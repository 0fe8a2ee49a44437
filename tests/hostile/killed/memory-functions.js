// {"codes": [3011, 3010, 3001]}
// Compiled code.
function execute() {
  var a = []; for (var i = 0; ; i++) { a.push(new Function("return " + i)); }
}
