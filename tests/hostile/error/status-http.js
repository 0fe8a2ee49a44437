// {"codes": [3004]}
// An HTTP status.
function execute() { return {status: 200, user: {id: "x"}}; }
