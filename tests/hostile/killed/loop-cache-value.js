// {"codes": [3010]}
// A value that CACHE has to turn into JSON.
function execute() {
  CACHE.store("k", {toJSON: function () { for (;;) {} }});
}
