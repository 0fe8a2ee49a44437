// {"codes": [3001]}
// Its name is an object that says nothing.
function execute() {
  var e = new Error("x"); e.name = {toString: function () { return {}; }};
  throw e;
}
