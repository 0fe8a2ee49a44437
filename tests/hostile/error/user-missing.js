// {"codes": [3004]}
// A success without a user.
function execute() { return {status: 2000}; }
