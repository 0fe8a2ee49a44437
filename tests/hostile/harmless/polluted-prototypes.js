// {"answer": "own"}
// Own members are the result, whatever everybody inherits.
Object.prototype.status = 5000;
Object.prototype.responsePayload = "inherited";
Object.prototype.toJSON = undefined;
Array.prototype[0] = "inherited";
String.prototype.id = "inherited";
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: "own"};
}
