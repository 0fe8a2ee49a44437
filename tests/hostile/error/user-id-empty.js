// {"codes": [3004]}
// Empty.
function execute() { return {status: 2000, user: {id: ""}}; }
