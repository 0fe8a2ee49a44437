// {"codes": [3004]}
// Half a surrogate pair.
function execute() { return {status: 2000, user: {id: "x\udc00"}}; }
