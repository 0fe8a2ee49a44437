// {"codes": [3001]}
// A key that would like to be converted.
function execute() {
  CACHE.store({toString: function () { return "k"; }}, "v");
}
