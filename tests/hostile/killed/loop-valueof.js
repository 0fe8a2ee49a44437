// {"codes": [3010]}
// A conversion to a number, inside arithmetic.
function execute() { return 1 + {valueOf: function () { for (;;) {} }}; }
