// {"codes": [3001, 3011]}
// Through sort's comparison.
function f() { [2, 1].sort(f); return 0; }
function execute() { f(); }
