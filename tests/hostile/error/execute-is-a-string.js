// {"codes": [3002]}
// It is a value.
var execute = "function () {}";
