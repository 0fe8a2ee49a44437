// {"codes": [3012], "script": {"wall_ms": 5000}}
// Calls that change something.
function execute() { for (;;) { CACHE.increment("k"); } }
