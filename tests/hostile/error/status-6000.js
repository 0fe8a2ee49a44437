// {"codes": [3004]}
// Just above.
function execute() { return {status: 6000, user: {id: "x"}}; }
