// {"codes": [3004]}
// A status JSON would not show.
function execute() {
  return Object.defineProperty({user: {id: "x"}}, "status", {value: 2000});
}
