// {"codes": [3004]}
// Conversion gives nothing.
function execute() { return {toJSON: function () {}}; }
