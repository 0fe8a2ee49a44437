// {"codes": [3004], "also_ok": true}
// A letter that looks like another.
function execute() { return {status: 2000, user: {id: "\u0430dmin"}}; }
