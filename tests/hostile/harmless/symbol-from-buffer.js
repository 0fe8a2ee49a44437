// {"answer": "0"}
// Nor be made out of bytes.
function execute() {
  var bytes = new Uint8Array([255, 118, 97, 108, 117, 101]);
  var text = new TextDecoder().decode(bytes), count = 0;
  try { count += String.fromCharCode.apply(null, bytes) in LOG ? 1 : 0; }
  catch (e) {}
  count += text in LOG ? 1 : 0;
  return {status: 2000, user: {id: "x"}, responsePayload: "" + count};
}
