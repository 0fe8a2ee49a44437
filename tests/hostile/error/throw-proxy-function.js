// {"codes": [3001]}
// A Proxy of a function.
function execute() { throw new Proxy(function () {}, {}); }
