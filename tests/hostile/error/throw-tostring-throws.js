// {"codes": [3001]}
// Its toString throws something that throws.
function execute() {
  var again = {toString: function () { throw again; }};
  throw again;
}
