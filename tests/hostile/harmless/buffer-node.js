// {"answer": "fine"}
// Duktape's Node-like Buffer at its edges.
function execute() {
  if (typeof Buffer !== "undefined") {
    [function () { return new Buffer(-1); },
     function () { return new Buffer(8).readDoubleBE(1e9, true); },
     function () { return new Buffer(8).writeUIntBE(1, 7, 1e9, true); },
     function () { return new Buffer(8).fill("x", -5, 1e9); },
     function () { return new Buffer(8).copy(new Buffer(1), 1e9, -1, 1e9); },
     function () { return new Buffer(8).slice(-1e9, 1e9).toString("hex"); },
     function () { return Buffer.concat([new Buffer(4)], 1e3).length; },
     function () { return new Buffer(8).compare(new Buffer(0)); },
     function () { return new Buffer(8).toString("utf8", 9e9, -9e9); }
    ].forEach(function (f) { try { f(); } catch (e) {} });
  }
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
