/*
 * One step: {"username": "...", "password": "..."} as data. The password of
 * every user is the property demo_password, "demo-password" in the demo realm.
 *
 *   2000  right: `user` is registered
 *   4000  the data is not what we expect
 *   4002  wrong password
 */
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

/* Looks at every character wherever the first difference is. */
function equal(a, b) {
  var difference = a.length ^ b.length;
  for (var i = 0; i < a.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i % (b.length || 1));
  }
  return difference === 0;
}

function execute(requestPayload) {
  var request = parse(requestPayload);
  var username = request.username;
  var password = request.password;

  /* The user name becomes part of `sub`: be strict about what may be in it. */
  if (typeof username !== "string" || !/^[a-z0-9._-]{1,64}$/.test(username) ||
      typeof password !== "string") {
    return failed(4000, "expects data like {\"username\": \"dana\", \"password\": \"...\"}");
  }
  if (!equal(password, PROPERTIES.get("demo_password"))) {
    /* Never log what the user typed as a password. */
    LOG.warn("wrong password for {}", username);
    return failed(4002, "wrong password");
  }
  return {
    status: 2000,
    responsePayload: { message: PROPERTIES.get("greeting") },
    user: {
      id: username,
      amr: ["pwd"],
      preferred_username: username
    }
  };
}
