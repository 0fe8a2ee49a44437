// {"line": 3}
// A label nobody defined.
function execute() { for (;;) { break nowhere; } }
