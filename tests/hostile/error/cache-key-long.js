// {"codes": [3001]}
// Over its limit.
function execute() { CACHE.fetch(new Array(2000).join("k")); }
