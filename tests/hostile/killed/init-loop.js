// {"entry": "init", "codes": [3010]}
// In init.
function execute() { for (;;) {} }
