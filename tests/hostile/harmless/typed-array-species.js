// {"answer": "fine"}
// Lengths and offsets that change while they are used.
function execute() {
  var b = new ArrayBuffer(64), u = new Uint8Array(b);
  var grow = {valueOf: function () { u = new Uint8Array(1); return 1e9; }};
  [function () { u.subarray(grow, grow); }, function () { b.slice(grow, 1); },
   function () { new DataView(b, grow); }, function () { u.set([1], grow); },
   function () { new Uint8Array({length: grow}); },
   function () { u.set({length: 2, get 0() { u = null; return 1; }}); },
   function () { new Float64Array(b, 8, grow); }
  ].forEach(function (f) { try { f(); } catch (e) {} });
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
