// {"codes": [3001]}
// An object without a prototype, so without toString.
function execute() { throw Object.create(null); }
