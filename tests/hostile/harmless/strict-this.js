// {"answer": "undefined"}
// Strict code has no global this.
function execute() {
  "use strict";
  return {status: 2000, user: {id: "x"},
    responsePayload: typeof (function () { return this; })()};
}
