// {"codes": [3004]}
// A bare status.
function execute() { return 2000; }
