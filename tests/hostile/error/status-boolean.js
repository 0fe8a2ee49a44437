// {"codes": [3004]}
// True.
function execute() { return {status: true, user: {id: "x"}}; }
