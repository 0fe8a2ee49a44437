// {"codes": [3012], "script": {"wall_ms": 5000}}
// Large values until its calls are used up.
function execute() {
  for (var i = 0; ; i++) {
    try { CACHE.store("flood" + i, new Array(60000).join("x")); }
    catch (e) {}
  }
}
