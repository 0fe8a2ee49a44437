// {"answer": "1,2,3,null"}
// Keys that are something elsewhere.
function execute() {
  CACHE.store("__proto__", "1"); CACHE.store("a\u0000b", "2");
  CACHE.store("' OR 1=1 --", "3");
  return {status: 2000, user: {id: "x"}, responsePayload:
    [CACHE.take("__proto__"), CACHE.take("a\u0000b"),
     CACHE.take("' OR 1=1 --"), "" + CACHE.fetch("a")] + ""};
}
