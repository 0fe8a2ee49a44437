// {"entry": "backchannel", "codes": [3004]}
// In backchannel.
function execute() { return {status: "2000"}; }
