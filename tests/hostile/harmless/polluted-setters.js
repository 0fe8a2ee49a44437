// {"answer": "own"}
// Setters on Object.prototype do not see our own objects being made.
["status", "user", "id", "key", "0", "name", "length"].forEach(function (n) {
  Object.defineProperty(Object.prototype, n, {configurable: true,
    set: function (v) { throw new Error("seen"); },
    get: function () { return undefined; }}); });
function execute() {
  return JSON.parse(
    '{"status":2000,"user":{"id":"x"},"responsePayload":"own"}');
}
