// {"codes": [3001, 3011]}
// Through replace.
function f() { return "a".replace("a", f); }
function execute() { return f(); }
