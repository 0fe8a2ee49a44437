// {"codes": [3001]}
// Conversion throws.
function execute() { return {toJSON: function () { throw new Error("t"); }}; }
