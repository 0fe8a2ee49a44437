// {"codes": [3004]}
// Object.prototype answers for what is missing.
Object.prototype.status = 2000;
Object.prototype.user = {id: "admin"};
Object.prototype.responsePayload = "granted";
function execute() { return {}; }
