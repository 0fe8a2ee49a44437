// {"codes": [3001]}
// The way out of the sandboxes of other engines.
function execute() {
  return this.constructor.constructor("return process")().exit();
}
