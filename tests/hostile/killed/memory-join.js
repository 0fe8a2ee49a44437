// {"codes": [3011, 3010, 3001]}
// A gigabyte in one call.
function execute() { return Array(1e9).join("x"); }
