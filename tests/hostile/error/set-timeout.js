// {"codes": [3001]}
// Nothing runs later.
function execute() { setTimeout(function () {}, 0); }
