// {"codes": [3001, 3011]}
// Through a conversion.
function execute() {
  var o = {valueOf: function () { return o + 1; }}; return o + 1;
}
