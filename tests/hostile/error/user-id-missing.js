// {"codes": [3004]}
// No id.
function execute() { return {status: 2000, user: {name: "x"}}; }
