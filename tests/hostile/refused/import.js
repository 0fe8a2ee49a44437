// {"line": 3}
// Modules.
import fs from "fs";
function execute() {}
