// {"codes": [3001, 3004]}
// A Proxy that claims keys it does not have.
function execute() {
  return new Proxy({}, {ownKeys: function () { return ["status", "user"]; },
    get: function (t, k) { return k === "status" ? 2000 : {id: "x"}; }});
}
