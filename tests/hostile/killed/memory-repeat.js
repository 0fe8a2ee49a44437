// {"codes": [3011, 3010, 3001]}
// The same with repeat.
function execute() { return "abcdefgh".repeat(1e8); }
