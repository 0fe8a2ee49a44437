// {"codes": [3001, 3011]}
// Through a reviver.
function f() { return JSON.parse("[1]", f); }
function execute() { return f(); }
