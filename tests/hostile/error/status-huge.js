// {"codes": [3004]}
// The greatest number.
function execute() { return {status: 1.7976931348623157e308}; }
