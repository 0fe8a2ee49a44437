// {"codes": [3001]}
// Nor a Java below.
function execute() {
  return Java.type("java.lang.Runtime").getRuntime().exec("id");
}
