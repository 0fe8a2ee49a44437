// {"generate": "a?", "count": 80000}
// Conditions in conditions.

