// {"answer": "null,null,null"}
// Names that every object has.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload:
    ["__proto__", "constructor", "toString"].map(function (n) {
      return PROPERTIES.get(n) + ""; }) + ""};
}
