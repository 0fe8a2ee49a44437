// {"codes": [3004]}
// NaN becomes null.
function execute() { return {status: NaN, user: {id: "x"}}; }
