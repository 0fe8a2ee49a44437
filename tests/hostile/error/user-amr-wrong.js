// {"codes": [3004]}
// amr is no list of texts.
function execute() { return {status: 2000, user: {id: "x", amr: [1]}}; }
