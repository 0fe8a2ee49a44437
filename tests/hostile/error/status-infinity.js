// {"codes": [3004]}
// So does infinity.
function execute() { return {status: Infinity, user: {id: "x"}}; }
