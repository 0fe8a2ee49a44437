// {"generate": "[", "count": 200000}
// A literal that deep.

