// {"codes": [3001]}
// Duktape's own hooks, under any name they could be found by.
this.Duktape = {errCreate: function (e) { throw e; },
  errThrow: function () { while (1) {} }};
function execute() { throw new Error("x"); }
