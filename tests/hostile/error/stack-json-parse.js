// {"codes": [3001, 3011]}
// A hundred thousand brackets.
function execute() { return JSON.parse(new Array(100001).join("[")); }
