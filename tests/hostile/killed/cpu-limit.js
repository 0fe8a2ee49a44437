// {"codes": [3010], "script": {"wall_ms": 5000, "cpu_ms": 200}}
// The CPU limit comes long before the wall clock's.
function execute() { for (;;) {} }
