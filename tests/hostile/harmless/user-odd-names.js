// {"answer": "fine"}
// Attribute names that are something elsewhere.
function execute() {
  return {status: 2000, responsePayload: "fine", user: JSON.parse(
    '{"id":"x","__proto__":{"id":"admin"},"constructor":1,"":"empty",' +
    '"toString":null,"a.b":1,"$ref":"#/id"}')};
}
