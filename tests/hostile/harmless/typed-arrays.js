// {"answer": "4294967295,255,0"}
// Views of one buffer, out of bounds on either side.
function execute() {
  var b = new ArrayBuffer(16), u32 = new Uint32Array(b), u8 = new Uint8Array(b);
  u32[0] = -1; u8[100] = 7; u8[-1] = 7;
  try { new DataView(b).setFloat64(12, 1); } catch (e) {}
  try { new Uint32Array(b, 1); } catch (e) {}
  try { u8.set(new Uint8Array(17)); } catch (e) {}
  try { u8.subarray(-1e9, 1e9)[5] = 1; } catch (e) {}
  return {status: 2000, user: {id: "x"}, responsePayload:
    [u32[0], u8[3], u8[15]] + ""};
}
