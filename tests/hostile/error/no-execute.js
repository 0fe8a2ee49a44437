// {"codes": [3002]}
// There is none.
var x = 1;
