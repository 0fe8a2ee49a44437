// {"answer": "fine"}
// Prototype chains that would go round.
function execute() {
  var a = {}, b = Object.create(a);
  try { a.__proto__ = b; } catch (e) {}
  try { Object.setPrototypeOf(a, b); } catch (e) {}
  try { Object.prototype.__proto__ = a; } catch (e) {}
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
