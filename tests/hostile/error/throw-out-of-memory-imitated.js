// {"codes": [3001]}
// Says what a refused allocation says.
function execute() { throw new Error("alloc failed"); }
