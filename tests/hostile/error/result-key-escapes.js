// {"codes": [3004]}
// "status" written in escapes by a key that is not it.
function execute() {
  var r = {}; r["\\u0073tatus"] = 2000; r["status\u0000"] = 2000;
  r["\u200bstatus"] = 2000; return r;
}
