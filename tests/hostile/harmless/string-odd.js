// {"answer": "fine"}
// Strings at their edges.
function execute() {
  var s = "\ud83d\ude00";
  s.charAt(-1); s.charCodeAt(1e9); s.substring(NaN, -1); s.substr(-9, 1e9);
  s.slice(-1e300, 1e300); s.codePointAt(1); String.fromCharCode(1e9, -1, NaN);
  try { String.fromCodePoint(1e9); } catch (e) {}
  s.localeCompare("\u0000"); s.toUpperCase(); "\u0130\u00df".toLowerCase();
  try { "".repeat(-1); } catch (e) {}
  "".repeat(1e9); escape(s); unescape("%u00"); 
  try { decodeURIComponent("%c0%80"); } catch (e) {}
  try { encodeURIComponent("\ud800"); } catch (e) {}
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
