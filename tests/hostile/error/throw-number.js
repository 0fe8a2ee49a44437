// {"codes": [3001], "message": "2000"}
// A status that would be a success.
function execute() { throw 2000; }
