// {"codes": [3012], "script": {"wall_ms": 5000}}
// While its result is converted.
function execute() {
  return {status: 2000, get user() {
    for (;;) { try { CACHE.fetch("k"); } catch (e) {} } }};
}
