// {"codes": [3001]}
// Symbols are strings inside.
function execute() { CACHE.fetch(Symbol("k")); }
