// {"codes": [3001]}
// The key is checked first, then the value's toJSON changes what it can.
function execute() {
  CACHE.store("k", {toJSON: function () {
    return new Array(500000).join("x"); }});
}
