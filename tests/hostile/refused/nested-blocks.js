// {"generate": "{", "count": 100000}
// As many blocks.

