// {"codes": [3004]}
// Members of its prototype.
function execute() {
  return Object.create({status: 2000, user: {id: "x"}});
}
