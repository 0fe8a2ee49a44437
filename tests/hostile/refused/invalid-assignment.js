// {"line": 3}
// Something that cannot be assigned to.
1 = 2;
function execute() {}
