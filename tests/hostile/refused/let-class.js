// {"line": 3}
// Classes.
class A { constructor() {} }
function execute() {}
