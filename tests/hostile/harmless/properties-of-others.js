// {"answer": "null,undefined,own-value"}
// Nor another's properties.
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload:
    [PROPERTIES.get("control_secret") + "", typeof PROPERTIES.control_secret,
     PROPERTIES.get("shared_value")] + ""};
}
