// {"codes": [3010]}
// A result whose keys are counted for ever.
function execute() {
  return new Proxy({}, {ownKeys: function () { while (1) {} }});
}
