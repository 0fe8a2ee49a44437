// {"codes": [3012], "script": {"wall_ms": 5000}}
// More calls than its limit, each in a try.
function execute() {
  for (;;) { try { CACHE.fetch("k"); } catch (e) {} }
}
