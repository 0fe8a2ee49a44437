// {"codes": [3001]}
// A stack of a megabyte.
function execute() {
  var e = new Error("x");
  Object.defineProperty(e, "stack",
    {value: new Array(1024 * 1024).join("\u20ac")});
  throw e;
}
