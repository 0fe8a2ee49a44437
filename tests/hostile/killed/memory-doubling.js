// {"codes": [3011, 3001]}
// A string that doubles.
function execute() { var s = "x"; while (1) { s += s; } }
