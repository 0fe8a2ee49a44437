// {"line": 4}
// What strict code forbids.
"use strict";
function execute() { with ({}) {} }
