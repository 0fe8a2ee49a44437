// {"entry": "backchannel", "codes": [3010]}
// In backchannel.
function execute() { for (;;) {} }
