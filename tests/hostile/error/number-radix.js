// {"codes": [3001]}
// A base there is not.
function execute() { return (1).toString(1e9); }
