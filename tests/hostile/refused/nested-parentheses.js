// {"generate": "(", "count": 100000}
// A hundred thousand brackets: refused, in time and without a crash.

