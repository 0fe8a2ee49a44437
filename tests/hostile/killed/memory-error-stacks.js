// {"codes": [3011, 3010, 3001]}
// Errors, each with its trace.
function execute() { var a = []; for (;;) { a.push(new Error("x")); } }
