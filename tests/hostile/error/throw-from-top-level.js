// {"codes": [3001], "message": "top"}
// The top level throws: in the template and then in the child.
throw new Error("top");
function execute() { return {status: 2000, user: {id: "x"}}; }
