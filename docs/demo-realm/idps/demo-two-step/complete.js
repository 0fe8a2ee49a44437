/*
 * Second step: {"answer": "...", "name": "..."} as data. Checks the answer
 * against the challenge that `init` left.
 *
 *   2000  the answer is right: `user` is registered
 *   4001  wrong answer: the caller may try again in the same transaction
 *   4000  the data is not what we expect: the same
 *   5001  the challenge is gone or the tries are used up: start at init again
 */
var TRIES = 3;

function failed(status, message) {
  return { status: status, responsePayload: { message: message } };
}

function parse(text) {
  try {
    return JSON.parse(text) || {};
  } catch (e) {
    return {};
  }
}

function reversed(text) {
  return text.split("").reverse().join("");
}

function execute(requestPayload, userIdentifier, registrationData) {
  var request = parse(requestPayload);
  var id = registrationData && registrationData.challengeId;

  if (typeof request.answer !== "string") {
    return failed(4000, "expects data like {\"answer\": \"...\"}");
  }
  /* Counted before the answer is looked at, so that parallel requests cannot
   * have more tries than one after the other. */
  if (CACHE.increment("tries:" + id, 300) > TRIES) {
    CACHE["delete"]("challenge:" + id);
    return failed(5001, "no tries are left");
  }
  var challenge = CACHE.fetch("challenge:" + id);
  if (challenge === null) {
    return failed(5001, "the challenge is gone");
  }
  if (request.answer !== reversed(challenge)) {
    return failed(4001, "that is not the answer");
  }
  /* take() gives a value to one caller only: a right answer counts once. */
  if (CACHE.take("challenge:" + id) === null) {
    return failed(5001, "the challenge is gone");
  }
  return {
    status: 2000,
    responsePayload: { message: PROPERTIES.get("greeting") },
    user: {
      /* The id must be the same each time the same person comes. A real
       * script gets it from a backend; the demo has one user. */
      id: "demo-user",
      amr: ["otp"],
      given_name: "Dana",
      family_name: "Demo",
      email: "dana@example.com"
    }
  };
}
