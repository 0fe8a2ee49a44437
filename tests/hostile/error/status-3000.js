// {"codes": [3004]}
// Between the ranges: our own codes.
function execute() { return {status: 3000, user: {id: "x"}}; }
