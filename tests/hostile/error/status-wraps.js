// {"codes": [3004]}
// 2000 modulo 2^32.
function execute() { return {status: 4294969296, user: {id: "x"}}; }
