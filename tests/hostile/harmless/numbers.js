// {"answer": "Infinity,0,1e+21"}
// Numbers at their edges.
function execute() {
  var i;
  for (i = 2; i <= 36; i++) { (Math.pow(2, 1023) * 1.1).toString(i); (5e-324).toString(i); }
  (1e21).toFixed(20); (123.456).toPrecision(21); (1e-7).toExponential(20);
  parseFloat(new Array(100000).join("9")); parseInt(new Array(1000).join("z"), 36);
  Number("0x" + new Array(1000).join("f"));
  return {status: 2000, user: {id: "x"}, responsePayload:
    [1e309, -1e-400 + 0, 1e21] + ""};
}
