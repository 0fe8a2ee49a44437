var TRIES = 3;

function execute(requestPayload, userIdentifier, registrationData) {
  var id = registrationData.id;
  var code = requestPayload && requestPayload.code;

  /* Counted before the code is looked at: parallel requests have no more
   * tries than one after the other. */
  if (CACHE.increment("tries:" + id, 300) > TRIES) {
    CACHE["delete"]("code:" + id);
    return { status: 5001, responsePayload: { message: "no tries are left" } };
  }
  var kept = JSON.parse(CACHE.fetch("code:" + id));
  if (kept === null) {
    return { status: 5001, responsePayload: { message: "the code is too old" } };
  }
  if (typeof code !== "string" || !CRYPTO.timingSafeEqual(code, kept.code)) {
    return { status: 4001, responsePayload: { message: "that is not the code" } };
  }
  /* Of several callers one gets the value: a code works once. */
  if (CACHE.take("code:" + id) === null) {
    return { status: 5001, responsePayload: { message: "the code was used" } };
  }
  return {
    status: 2000,
    user: { id: kept.phone, amr: ["sms"], phone_number: kept.phone }
  };
}
