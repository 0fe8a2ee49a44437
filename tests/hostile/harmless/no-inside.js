// {"answer": []}
// Nothing of duktape's inside, of a host or of a network is there.
function execute() {
  var names = ["Duktape", "CBOR", "performance", "require", "module",
    "process", "print", "alert", "load", "readFile", "setTimeout",
    "setInterval", "setImmediate", "queueMicrotask", "Promise", "fetch",
    "XMLHttpRequest", "WebSocket", "Worker", "SharedArrayBuffer", "Atomics",
    "WebAssembly", "importScripts", "global", "window", "NATIVE"];
  return {status: 2000, user: {id: "x"}, responsePayload:
    names.filter(function (name) { return name in this; }, this)};
}
