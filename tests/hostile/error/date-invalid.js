// {"codes": [3001]}
// Beyond the end of time.
function execute() { return new Date(8.64e15 + 1).toISOString(); }
