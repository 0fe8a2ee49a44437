// {"codes": [3010, 3011]}
// And goes on where there is no memory left.
function execute() {
  var kept = [];
  while (1) { try { kept.push(new Array(100000).join("x" + kept.length)); }
    catch (e) {} }
}
