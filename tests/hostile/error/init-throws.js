// {"entry": "init", "codes": [3001], "message": "init"}
// In init.
function execute() { throw new Error("init"); }
