// {"codes": [3004]}
// A key that tries to end the JSON string it is written in.
function execute() {
  var r = {}; r['status":2000,"user":{"id":"x"},"z'] = 1; return r;
}
