// {"codes": [3001]}
// A function.
function execute() { throw function () {}; }
