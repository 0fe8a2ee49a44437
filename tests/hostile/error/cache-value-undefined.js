// {"codes": [3001]}
// Nothing to keep.
function execute() { CACHE.store("k"); }
