// {"codes": [3001, 3004, 3011]}
// In the result, where our own code is on the stack.
function execute() {
  function nest() { return {toJSON: function () { return nest(); }, n: nest}; }
  var deep = {}; deep.toJSON = function () {
    return {status: 2000, user: {id: "x"}, responsePayload: (function f() {
      return f() + 1; })()}; };
  return deep;
}
