// {"codes": [3011, 3010, 3001]}
// Registered symbols are never collected.
function execute() {
  for (var i = 0; ; i++) { Symbol.for(new Array(100).join("s") + i); }
}
