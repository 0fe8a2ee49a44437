// {"codes": [3001]}
// A message of a megabyte.
function execute() { throw new Error(new Array(1024 * 1024).join("x")); }
