// {"codes": [3004]}
// Below zero, and minus zero modulo 2^32.
function execute() { return {status: -2000, user: {id: "x"}}; }
