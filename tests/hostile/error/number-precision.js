// {"codes": [3001]}
// More digits than there are.
function execute() { return (1).toFixed(1e9); }
