// {"generate": "function f(){", "count": 10000}
// Functions in functions.

