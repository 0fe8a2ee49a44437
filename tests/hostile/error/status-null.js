// {"codes": [3004]}
// Null.
function execute() { return {status: null, user: {id: "x"}}; }
