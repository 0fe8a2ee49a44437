// {"codes": [3001, 3004, 3010, 3011], "script": {"wall_ms": 1000}}
// Through LOG, which swallows what its argument throws.
function execute() {
  var o = {toJSON: function () { LOG.info("{}", o); return f(); }};
  function f() { return f(); }
  LOG.info("{}", o);
}
