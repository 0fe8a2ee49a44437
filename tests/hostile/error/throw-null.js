// {"codes": [3001]}
// Null.
function execute() { throw null; }
