// {"codes": [3001, 3004, 3010, 3011]}
// A match that recurses once a character.
function execute() {
  return /(?:a|b)*c/.exec(new Array(100000).join("a"));
}
