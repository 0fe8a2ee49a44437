// {"codes": [3001]}
// A key of nothing.
function execute() { CACHE.store("", "v"); }
