// {"codes": [3010]}
// Walking one, with nothing to see.
function execute() {
  new Array(4294967295).forEach(function () {}); for (;;) {}
}
