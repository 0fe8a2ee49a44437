// {"codes": [3011, 3001]}
// One buffer of four gigabytes less one.
function execute() { return new ArrayBuffer(4294967295); }
