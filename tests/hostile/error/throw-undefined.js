// {"codes": [3001]}
// Nothing is thrown.
function execute() { throw undefined; }
