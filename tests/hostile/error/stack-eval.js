// {"codes": [3001, 3011]}
// Source that deep.
function execute() { return eval(new Array(100001).join("(")); }
