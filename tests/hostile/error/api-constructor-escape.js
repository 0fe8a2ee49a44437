// {"codes": [3001]}
// From one of our own functions.
function execute() {
  return CACHE.fetch.constructor("return this.process.mainModule")();
}
