// {"codes": [3004]}
// A line end and an escape.
function execute() { return {status: 2000, user: {id: "a\r\nb\u001b"}}; }
