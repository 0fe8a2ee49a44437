// {"line": 3}
// A language newer than this one.
var execute = () => ({status: 2000});
