// {"codes": [3004, 3001], "data": {"__proto__": {"status": 2000, "user": {"id": "admin"}}}}
// A payload that would like to be a prototype.
function execute(requestPayload) { return JSON.parse(requestPayload); }
