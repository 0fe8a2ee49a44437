// {"codes": [3004]}
// And for the members of user.
Object.prototype.id = "admin";
function execute() { return {status: 2000, user: {}}; }
