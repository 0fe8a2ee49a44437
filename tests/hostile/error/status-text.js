// {"codes": [3004]}
// A string.
function execute() { return {status: "2000", user: {id: "x"}}; }
