// {"codes": [3001]}
// Nor a process.
function execute() { return process.env.HOME; }
