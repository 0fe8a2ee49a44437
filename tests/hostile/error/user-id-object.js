// {"codes": [3004]}
// An object.
function execute() { return {status: 2000, user: {id: {toString: 1}}}; }
