// {"codes": [3010, 3001]}
// In split.
function execute() {
  return (new Array(64).join("x") + "y").split(/(x+x+)+z/);
}
