// {"codes": [3010]}
// The plainest.
function execute() { while (1) {} }
