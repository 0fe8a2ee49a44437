// {"codes": [3002, 3004, 3001]}
// Only inherited by the global object.
Object.prototype.execute = 7;
