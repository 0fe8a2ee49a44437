"""The realm most tests use: scripts that do what the request's data says."""

from harness.realm import Realm

# Returns the request's data, parsed: the test writes the script's result.
MIRROR = """
function execute(requestPayload) {
  if (requestPayload === null) {
    return {status: 2000, user: {id: "nobody"}};
  }
  return JSON.parse(requestPayload);
}
"""

# The same for init, where nothing at all is a success too.
MIRROR_INIT = """
function execute(requestPayload) {
  return requestPayload === null ? {status: 2000, responsePayload: "challenge"}
      : JSON.parse(requestPayload);
}
"""

# Shows what a script was given.
ARGUMENTS = """
function execute(requestPayload, userIdentifier, registrationData, custom) {
  return {status: 2000, user: {id: "arguments"}, responsePayload: {
    payload: requestPayload, type: typeof requestPayload,
    userIdentifier: userIdentifier, registrationData: registrationData,
    custom: custom, count: arguments.length}};
}
"""

# Counts its executions under the key that data names, then mirrors `result`.
COUNTING = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  CACHE.increment(order.counter);
  return order.result;
}
"""

# Does to the cache what data says: [["store", "k", "v"], ["fetch", "k"], ..].
CACHE_ORDERS = """
function execute(requestPayload) {
  var results = JSON.parse(requestPayload).map(function (order) {
    var value = CACHE[order[0]].apply(CACHE, order.slice(1));
    return value === undefined ? null : value;
  });
  return {status: 2000, user: {id: "cache"}, responsePayload: results};
}
"""

IDPS = ["two", "mirror", "arguments", "counting", "cache", "off"]


def standard_realm(*more_idps):
    """`more_idps` are assigned to the client `app` besides the standard's."""
    realm = Realm()
    idps = [*IDPS, *more_idps]
    realm.settings(attempts={"per_source_4xx": 100000, "window_secs": 300})
    realm.scopes("read", "write", "openid", "profile", "secret")
    scopes = {"default_scopes": ["read"],
              "additional_scopes": ["write", "openid", "profile"]}
    realm.client("app", idps=idps, **scopes)
    realm.client("other", idps=idps, **scopes)
    realm.client("disabled", idps=idps, enabled=False, **scopes)
    realm.client("no-refresh", idps=idps, refresh_token={"enabled": False},
                 **scopes)
    realm.client("no-default", idps=idps, additional_scopes=["write"])
    realm.client("nowhere", idps=[], **scopes)
    realm.client("stateless", idps=idps, grants=["stateless"], **scopes)
    realm.client("needs-profile", idps=idps, profile="required", **scopes)
    realm.client("takes-profile", idps=idps, profile="optional", **scopes)
    realm.client("no-profile", idps=idps, profile="none", **scopes)
    realm.client("es256", idps=idps, id_token={"signing_alg": "ES256"},
                 **scopes)
    realm.client("short", idps=idps, access_token={"lifetime_secs": 60},
                 **scopes)
    realm.api_client("backend", "user_registration")
    realm.api_client("inspector", "token_introspection")
    realm.idp("two", MIRROR, init=MIRROR_INIT, backchannel=MIRROR)
    realm.idp("mirror", MIRROR, backchannel=MIRROR)
    realm.idp("arguments", ARGUMENTS, init=ARGUMENTS, backchannel=ARGUMENTS)
    realm.idp("counting", COUNTING, init=MIRROR_INIT)
    realm.idp("cache", CACHE_ORDERS, backchannel=CACHE_ORDERS)
    realm.idp("off", MIRROR, enabled=False, backchannel=MIRROR)
    realm.idp("unassigned", MIRROR)
    return realm
