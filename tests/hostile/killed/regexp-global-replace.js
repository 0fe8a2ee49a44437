// {"codes": [3010, 3001]}
// A slow match at every place of a long text.
function execute() {
  return new Array(3000).join("ab").replace(/(.*)*x/g, "");
}
