// {"codes": [3010]}
// with() over a Proxy that has everything.
function execute() {
  with (new Proxy({}, {has: function () { return true; },
                       get: function () { for (;;) {} }})) { anything; }
}
