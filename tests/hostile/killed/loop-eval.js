// {"codes": [3010]}
// Compiles and runs for ever.
function execute() { for (var i = 0; ; i++) { (0, eval)("var v" + i % 10); } }
