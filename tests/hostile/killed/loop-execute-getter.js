// {"codes": [3010]}
// execute itself is a getter on the global object.
Object.defineProperty(this, "execute", {get: function () { while (1) {} }});
