// {"codes": [3001]}
// A symbol has no string.
function execute() { throw Symbol("s"); }
