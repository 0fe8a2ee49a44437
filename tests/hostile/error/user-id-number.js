// {"codes": [3004]}
// A number.
function execute() { return {status: 2000, user: {id: 1}}; }
