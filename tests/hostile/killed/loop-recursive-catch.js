// {"codes": [3010, 3001, 3011]}
// Runs out of stack, catches that, and does it again.
function f() { try { f(); } catch (e) { f(); } }
function execute() { for (;;) { try { f(); } catch (e) {} } }
