// {"codes": [3011, 3010, 3001]}
// Arrays of arrays.
function execute() { var a = []; for (;;) { a.push(new Array(1000)); } }
