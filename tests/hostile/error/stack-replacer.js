// {"codes": [3001, 3011]}
// Through a replacer.
function f(k, v) { return JSON.stringify({a: 1}, f); }
function execute() { return f(); }
