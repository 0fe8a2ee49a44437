// {"codes": [3004], "also_ok": true}
// A boxed number: JSON unboxes it.
function execute() { return {status: new Number(1e21), user: {id: "x"}}; }
