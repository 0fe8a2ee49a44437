// {"codes": [3001]}
// Duktape's stack accessor, replaced for all Errors.
function execute() {
  Object.defineProperty(Error.prototype, "stack",
    {get: function () { throw this; }, configurable: true});
  throw new TypeError("x");
}
