// {"codes": [3001], "message": "on purpose", "line": 3}
// An ordinary exception.
function execute() { throw new Error("on purpose"); }
