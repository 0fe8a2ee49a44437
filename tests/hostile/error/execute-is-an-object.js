// {"codes": [3002]}
// It only looks callable.
var execute = {call: function () {}, apply: function () {}};
