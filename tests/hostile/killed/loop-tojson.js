// {"codes": [3010]}
// As is converting it.
function execute() { return {toJSON: function () { for (;;) {} }}; }
