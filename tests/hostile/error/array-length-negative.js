// {"codes": [3001]}
// A length there is not.
function execute() { return new Array(-1); }
