// {"codes": [3001]}
// Nothing is pending.
function execute() { return Promise.resolve(1); }
