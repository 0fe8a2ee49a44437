// {"codes": [3004]}
// True.
function execute() { return {status: 2000, user: {id: true}}; }
