// {"codes": [3001]}
// Nor a way from the shim to one.
function execute() {
  return java.util.UUID.class.forName("java.lang.System").exit(0);
}
