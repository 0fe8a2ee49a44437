// {"codes": [3010]}
// A toJSON far inside the user.
function execute() {
  return {status: 2000, user: {id: "x", a: [{b: {toJSON: function () {
    while (true) { try { undefined(); } catch (e) {} } }}}]}};
}
