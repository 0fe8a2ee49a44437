// {"codes": [3001]}
// A buffer for a string.
function execute() { CACHE.store(new Uint8Array(8), "v"); }
