// {"answer": "fine"}
// Bytes that are no text, streamed.
function execute() {
  var d = new TextDecoder();
  d.decode(new Uint8Array([0xf0, 0x9f]), {stream: true});
  d.decode(new Uint8Array([0xff, 0xfe, 0xc0, 0x80]), {stream: true}); d.decode();
  new TextEncoder().encode("\ud800\udc00\ud800");
  try { new TextDecoder("utf-8", {fatal: true}).decode(
    new Uint8Array([0xed, 0xa0, 0x80])); } catch (e) {}
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
