// {"answer": "fine"}
// JSON at its edges.
function execute() {
  ['{"a":1,"a":2}', '"\\ud800"', '1e400', '-0', '[]', '""', 'null',
   '{"__proto__":1}', '"\\u0000"'].forEach(function (t) { JSON.parse(t); });
  ['{', '[1,]', '01', '"\n"', "'a'", '\u00a01', '1 2', '"\\x41"', 'NaN', ''
  ].forEach(function (t) {
    try { JSON.parse(t); throw "accepted " + t; }
    catch (e) { if (typeof e === "string") { throw e; } } });
  JSON.stringify({a: [1]}, null, new Array(1000).join(" "));
  JSON.stringify({a: 1, b: 2}, ["b", "b", 1, {}]);
  JSON.stringify(new Proxy([1, 2], {})); JSON.stringify("\ud800");
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
