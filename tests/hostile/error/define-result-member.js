// {"codes": [3004]}
// A setter in the way of reading.
Object.defineProperty(Object.prototype, "status", {
  get: function () { return 2000; }, set: function () {}});
function execute() { var r = {}; r.status = 2000; return r; }
