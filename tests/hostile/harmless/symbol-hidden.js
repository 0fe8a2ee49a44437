// {"answer": "0"}
// Duktape's hidden symbols cannot be spelled.
function execute() {
  var keys = ["\xffvalue", "\xffpayload", "\x82value", "\u00ffValue"];
  var found = keys.filter(function (k) {
    return k in CACHE || k in LOG || k in String.prototype ||
      Object.getOwnPropertyDescriptor(this, k); }, this);
  return {status: 2000, user: {id: "x"}, responsePayload: "" + found.length};
}
