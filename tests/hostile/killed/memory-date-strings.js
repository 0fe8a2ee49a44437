// {"codes": [3011, 3010, 3001]}
// Interned strings that all differ.
function execute() {
  var a = []; for (var i = 0; ; i++) { a.push(new Date(i).toISOString()); }
}
