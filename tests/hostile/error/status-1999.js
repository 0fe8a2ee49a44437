// {"codes": [3004]}
// Just below.
function execute() { return {status: 1999, user: {id: "x"}}; }
