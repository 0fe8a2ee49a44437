// {"codes": [3001, 3011]}
// Through a getter.
function execute() {
  var o = {get a() { return this.a; }}; return o.a;
}
