// {"answer": "0,NaN,275760-09-13,true"}
// The ends of time, in UTC.
function execute() {
  var far = new Date(8.64e15), names = [];
  new Date(NaN).getTime(); new Date(-8.64e15).toString();
  try { new Date(Infinity).toISOString(); } catch (e) { names.push(e.name); }
  for (var i = 0; i < 400; i++) { Date.parse("2020-01-01T00:00:00Z".slice(i % 20)); }
  return {status: 2000, user: {id: "x"}, responsePayload:
    [new Date(0).getTimezoneOffset(), new Date("nonsense").getTime(),
     far.toISOString().slice(1, 13).replace(/^0+/, "").slice(0, 12),
     names[0] === "RangeError"] + ""};
}
