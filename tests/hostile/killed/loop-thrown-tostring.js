// {"codes": [3010]}
// The exception's own toString, run while it is reported.
function execute() { throw {toString: function () { while (1) {} }}; }
