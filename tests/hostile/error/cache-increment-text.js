// {"codes": [3001]}
// Counting what is no number.
function execute() { CACHE.store("k", "text"); CACHE.increment("k"); }
