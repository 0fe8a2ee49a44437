// {"codes": [3004]}
// A list.
function execute() { return {status: 2000, user: {id: ["x"]}}; }
