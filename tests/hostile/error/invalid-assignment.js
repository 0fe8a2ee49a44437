// {"codes": [3001]}
// ES5 lets it compile; it throws when it is reached.
function execute() { 1 = 2; }
