// {"line": 3}
// A line end in a string.
var s = "abc
";
function execute() {}
