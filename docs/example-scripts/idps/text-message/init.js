var CODE_LIFE_SECONDS = 120;

function sixDigits() {
  var bytes = CRYPTO.randomBytes(4), number = 0;
  for (var i = 0; i < bytes.length; i++) {
    number = number * 256 + bytes[i];
  }
  return ("00000" + (number % 1000000)).slice(-6);
}

function execute(requestPayload) {
  var phone = requestPayload && requestPayload.phone;
  if (typeof phone !== "string" || !/^\+[0-9]{6,15}$/.test(phone)) {
    return { status: 4000, responsePayload: { message: "expects {\"phone\": \"+31...\"}" } };
  }
  var id = CRYPTO.randomUUID();
  var code = sixDigits();
  CACHE.store("code:" + id, { code: code, phone: phone }, CODE_LIFE_SECONDS);

  var answer;
  try {
    answer = HTTP.post(PROPERTIES.sms_url, { to: phone, text: "Your code is " + code }, {
      headers: { Authorization: "Bearer " + PROPERTIES.sms_token },
      timeoutMs: 2000
    });
  } catch (e) {
    if (e.name !== "HttpError") {
      throw e;
    }
    LOG.error("no message was sent: {} {}", e.code, e.message);
    return { status: 5003, responsePayload: { message: "please try later" } };
  }
  if (answer.status >= 300) {
    LOG.error("no message was sent: status {}", answer.status);
    return { status: 5003, responsePayload: { message: "please try later" } };
  }
  return { status: 2000, responsePayload: { sent: true }, registrationData: { id: id } };
}
