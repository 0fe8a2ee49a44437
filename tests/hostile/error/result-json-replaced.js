// {"codes": [3004]}
// Our conversion does not use the script's JSON.
JSON.stringify = function () { return '{"status":2000,"user":{"id":"x"}}'; };
function execute() { return {status: 1}; }
