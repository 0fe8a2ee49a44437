// {"codes": [3004]}
// Not an integer.
function execute() { return {status: 2000.5, user: {id: "x"}}; }
