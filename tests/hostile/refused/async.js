// {"line": 3}
// Asynchronous functions.
async function execute() { await 1; }
