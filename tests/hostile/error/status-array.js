// {"codes": [3004]}
// A list of one.
function execute() { return {status: [2000], user: {id: "x"}}; }
