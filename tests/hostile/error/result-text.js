// {"codes": [3004]}
// The JSON of a result.
function execute() { return '{"status":2000,"user":{"id":"x"}}'; }
