// {"codes": [3001]}
// Our functions are no constructors.
function execute() { return new CACHE.fetch("k").status.user; }
