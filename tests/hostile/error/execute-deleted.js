// {"codes": [3002]}
// It was there.
execute = function () { return {status: 2000, user: {id: "x"}}; };
delete this.execute;
