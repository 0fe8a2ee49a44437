// {"codes": [3001]}
// Asking for it throws.
Object.defineProperty(this, "execute",
  {get: function () { throw new Error("no"); }});
