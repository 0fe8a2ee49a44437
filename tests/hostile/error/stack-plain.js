// {"codes": [3001, 3011]}
// Endless recursion.
function f() { return f() + 1; }
function execute() { return f(); }
