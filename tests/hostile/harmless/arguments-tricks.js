// {"answer": "4,object,true"}
// arguments, caller and callee.
function execute() {
  var callee = typeof arguments, mine = false;
  try { mine = execute.caller === null || execute.caller === undefined; }
  catch (e) { mine = true; }
  return {status: 2000, user: {id: "x"}, responsePayload:
    [arguments.length, callee, mine] + ""};
}
