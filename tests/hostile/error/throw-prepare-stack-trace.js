// {"codes": [3001]}
// The hook other engines have.
Error.prepareStackTrace = function () { throw new Error("hook"); };
Error.stackTraceLimit = {valueOf: function () { throw 1; }};
function execute() { null.x; }
