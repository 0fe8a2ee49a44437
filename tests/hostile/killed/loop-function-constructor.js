// {"codes": [3010]}
// The same with the Function constructor.
function execute() { return new Function("for (;;) {}")(); }
