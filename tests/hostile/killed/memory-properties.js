// {"codes": [3011, 3010, 3001]}
// An object with ever more properties.
function execute() {
  var o = {}; for (var i = 0; ; i++) { o["property" + i] = i; }
}
