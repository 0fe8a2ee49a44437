// {"codes": [3001]}
// Half a pair.
function execute() { CACHE.fetch("\ud800"); }
