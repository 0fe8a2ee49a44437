// {"codes": [3010]}
// An argument of LOG that never becomes text.
function execute() {
  LOG.info("{}", {toJSON: function () { while (1) {} }});
}
