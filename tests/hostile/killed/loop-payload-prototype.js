// {"codes": [3010], "data": {"userId": "u"}}
// A getter in the payload's way on String.prototype.
Object.defineProperty(String.prototype, "userId",
  {get: function () { while (1) {} }});
function execute(requestPayload) { return requestPayload.userId; }
