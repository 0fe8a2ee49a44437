// {"codes": [3001, 3011]}
// Through JSON and back.
function execute() {
  var o = {toJSON: function () { return JSON.stringify(o); }};
  return JSON.stringify(o);
}
