// {"codes": [3001]}
// Lives it cannot have.
function execute() { CACHE.store("k", "v", -1); }
