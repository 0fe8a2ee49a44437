// {"codes": [3004]}
// A NUL that ends it for whoever uses C strings.
function execute() { return {status: 2000, user: {id: "admin\u0000x"}}; }
