// {"answer": "went on"}
// Arguments that throw, cycle, lie or are nothing.
function execute() {
  var cycle = {}; cycle.cycle = cycle;
  var fail = function () { throw new Error("no"); };
  LOG.info("{} {} {} {} {}", cycle, {toJSON: fail}, {toString: fail},
    new Proxy({}, {get: fail, ownKeys: fail}), Symbol("s"));
  LOG.info(); LOG.info(undefined); LOG.info(null, null); LOG.info({});
  LOG.info(Object.create(null), function () {}, new Error("logged"), [[[]]]);
  LOG.info("\ud800{}\u0000\u001b[2J\r\n", "\udfff", 1, 2, 3);
  LOG.info.apply(null, new Array(1000));
  return {status: 2000, user: {id: "x"}, responsePayload: "went on"};
}
