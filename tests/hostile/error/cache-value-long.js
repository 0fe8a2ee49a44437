// {"codes": [3001]}
// Over its limit.
function execute() { CACHE.store("k", new Array(70000).join("v")); }
