// {"codes": [3010]}
// Waits for a clock it is itself in the way of.
function execute() { while (Date.now() < 1e15) {} }
