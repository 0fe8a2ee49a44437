/*
 * Called by a server (an API client): {"userId": "..."} as data. Leaves a
 * one-time code for that user in CACHE and returns it; the server sends it to
 * the user, whose app gives it to `complete`.
 */
var CODE_LIFE_SECONDS = 300;

function execute(requestPayload) {
  var userId = requestPayload && requestPayload.userId;

  if (typeof userId !== "string" || !/^[A-Za-z0-9._-]{1,64}$/.test(userId)) {
    return {
      status: 4000,
      responsePayload: { message: "expects data like {\"userId\": \"dana\"}" }
    };
  }
  var code = java.util.UUID.randomUUID().toString();
  CACHE.store("invite:" + code, userId, CODE_LIFE_SECONDS);
  LOG.info("invitation made for {}", userId);
  return {
    status: 2000,
    responsePayload: { code: code, expiresIn: CODE_LIFE_SECONDS }
  };
}
