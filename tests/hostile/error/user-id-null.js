// {"codes": [3004]}
// Null.
function execute() { return {status: 2000, user: {id: null}}; }
