// {"generate": "- ", "count": 100000}
// Operators without end.

