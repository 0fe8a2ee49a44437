// {"answer": "fine"}
// Patterns at their edges.
function execute() {
  ["(", "[", "a**", "\\", "(?:", "[z-a]", "a{2,1}", "(?<a>.)", "\\u{110000}",
   "a{4294967296}", "(?=a)*"].forEach(function (p) {
    try { new RegExp(p).exec("aaa"); } catch (e) {} });
  var r = /a/g; r.lastIndex = 1e300; r.exec("aaa"); r.lastIndex = -5; r.exec("a");
  "a".replace(/a/, "$0$1$&$`$'$$$99"); "".split(/(?:)/);
  /(?:)/.exec(""); /[^]/.exec("\u0000"); /\b/.exec("\ud800");
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
