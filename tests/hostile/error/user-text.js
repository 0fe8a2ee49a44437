// {"codes": [3004]}
// A user that is text.
function execute() { return {status: 2000, user: "admin"}; }
