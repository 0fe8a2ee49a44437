// {"answer": "no"}
// A script that says no is no failure.
function execute() { return {status: 4001, responsePayload: "no"}; }
