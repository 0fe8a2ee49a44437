// {"answer": []}
// No global besides the language's and ours, hidden ones too.
function execute() {
  var known = ("NaN Infinity undefined Object Function Array String Boolean " +
    "Number Date RegExp Error EvalError RangeError ReferenceError " +
    "SyntaxError TypeError URIError Math JSON eval parseInt parseFloat " +
    "isNaN isFinite decodeURI decodeURIComponent encodeURI " +
    "encodeURIComponent escape unescape Proxy Reflect Symbol globalThis " +
    "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array " +
    "Uint16Array Int32Array Uint32Array Float32Array Float64Array " +
    "TextEncoder TextDecoder Buffer CACHE LOG console PROPERTIES java HTTP " +
    "CRYPTO Java REST_TEMPLATE Packages execute").split(" ");
  return {status: 2000, user: {id: "x"}, responsePayload:
    Object.getOwnPropertyNames(this).filter(function (name) {
      return known.indexOf(name) < 0; })};
}
