// {"codes": [3001]}
// NaN seconds.
function execute() { CACHE.increment("k", NaN); }
