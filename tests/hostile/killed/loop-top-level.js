// {"codes": [3010]}
// The template never gets ready; the cold run has the script's clock.
while (true) { try { throw 1; } catch (e) {} }
function execute() { return {status: 2000, user: {id: "x"}}; }
