// {"codes": [3004]}
// A script cannot fake an internal code.
function execute() { return {status: 3010}; }
