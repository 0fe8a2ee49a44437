// {"entry": "init", "answer": "fine"}
// registrationData that would like to be something else.
function execute() {
  return {status: 2000, responsePayload: "fine", registrationData: JSON.parse(
    '{"__proto__":{"admin":true},"toJSON":"x","\\u0000":"\\ud83d\\ude00"}')};
}
