// {"answer": "fine"}
// Arrays that change under the built-in that walks them.
function execute() {
  var a = [5, 4, 3, 2, 1];
  a.sort(function (x, y) { a.length = 0; a.push(x); return x - y; });
  [1, 2, 3].map(function (v, i, all) { all.length = 0; return v; });
  [1, 2, 3].reduce(function (s, v, i, all) { all.shift(); return s; });
  var o = {length: 3, 0: 1, get 1() { delete this[0]; this.length = 1; }};
  Array.prototype.slice.call(o); Array.prototype.splice.call(o, 0, 9);
  Array.prototype.concat.call(o, o); Array.prototype.reverse.call(o);
  [1, 2, 3].splice(0, {valueOf: function () { return 1e9; }});
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
