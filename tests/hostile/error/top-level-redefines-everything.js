// {"codes": [3001, 3004]}
// No built-in is left to the code that follows.
Object = Array = String = Number = Error = TypeError = JSON = Math = null;
function execute() { return JSON.parse("1"); }
