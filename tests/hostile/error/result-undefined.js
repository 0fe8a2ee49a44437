// {"codes": [3004]}
// Nothing at all.
function execute() {}
