/*
 * {"code": "..."} as data, the code that `backchannel` made. CACHE is shared
 * by the scripts of one identity provider.
 *
 *   2000  the user that the code was made for is registered
 *   4003  the code is unknown, used or too old
 */
function execute(requestPayload) {
  var code = requestPayload && requestPayload.code;
  var userId = null;

  /* take() fetches and deletes in one step: a code works once, also when two
   * requests bring it at the same time. */
  if (typeof code === "string" && code.length > 0 && code.length <= 64) {
    userId = CACHE.take("invite:" + code);
  }
  if (userId === null) {
    return {
      status: 4003,
      responsePayload: { message: "unknown or used code" }
    };
  }
  return {
    status: 2000,
    responsePayload: { message: PROPERTIES.get("greeting") },
    user: {
      id: userId,
      amr: ["otp"]
    }
  };
}
