// {"codes": [3001]}
// A whole result, thrown instead of returned.
function execute() { throw {status: 2000, user: {id: "x"}}; }
