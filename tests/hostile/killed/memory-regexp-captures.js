// {"codes": [3011, 3010, 3001]}
// A regular expression of very many captures.
function execute() {
  var r = new RegExp(new Array(5000).join("(a)?"));
  var kept = []; for (;;) { kept.push(r.exec("a")); }
}
