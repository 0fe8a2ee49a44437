// {"codes": [3001]}
// Modules there are none.
function execute() { return require("fs").readFileSync("/etc/passwd"); }
