"""The flows that are measured, as requests of Postern's users."""
import base64
import json
import urllib.parse
import urllib.request

from load import Request
from postern import SECRET

BODY = json.dumps({"data": json.dumps({"custom_json_key": "custom json data"}),
                   "scope": ["openid", "read", "write"]})
PLAIN_BODY = json.dumps({"data": "{}", "scope": ["read", "write"]})
FORM = "application/x-www-form-urlencoded"
TOKEN = '"access_token":"'


def basic(client):
    return "Basic " + base64.b64encode(
        f"{client}:{SECRET}".encode()).decode()


def call(postern, path, body, auth, ctype="application/json"):
    request = urllib.request.Request(
        postern.url + path, body.encode(),
        {"Content-Type": ctype, "Authorization": auth})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def complete_path(idp):
    return f"/oauth/custom-registration/{idp}/complete"


def tokens_of(postern, idp="image"):
    return call(postern, complete_path(idp), BODY, basic("ES256"))[
        "oauth_token"]


def complete(postern, idp, client="ES256", body=BODY):
    return Request(url=postern.url, path=complete_path(idp), body=body,
                   auth=basic(client),
                   expect='"id_token":"' if "openid" in body else TOKEN)


def pair(postern):
    """init, then the complete of an init before; a request is one of both."""
    return Request(
        url=postern.url, path="/oauth/custom-registration/pair/init",
        body='{"data":"{}"}', auth=basic("ES256"), expect='"status":2000',
        then=('"transaction_id":"(%w+)"', complete_path("pair"),
              json.dumps({"transaction_id": "@",
                          "scope": ["openid", "read"]})))


def backchannel(postern):
    return Request(
        url=postern.url,
        path="/oauth/api/v3/custom-registration/image/backchannel",
        body='{"data":"{}"}', auth=basic("backend"), expect='"seen')


def refresh(postern):
    """Each refresh token that came is used once; the first 64 are made
    before."""
    place = postern.folder / "refresh-tokens"
    place.write_text("".join(
        tokens_of(postern)["refresh_token"] + "\n" for _ in range(64)))
    return Request(
        url=postern.url, path="/oauth/v1/token", auth=basic("ES256"),
        ctype=FORM, expect=TOKEN, tokens=str(place),
        body="grant_type=refresh_token&refresh_token=none-is-left",
        then=('"refresh_token":"(%w+)"', "/oauth/v1/token",
              "grant_type=refresh_token&refresh_token=@"))


def introspect(postern):
    token = tokens_of(postern)["access_token"]
    return Request(
        url=postern.url, path="/oauth/api/v2/token/introspect",
        auth=basic("backend"), ctype=FORM, expect='"active":true',
        body=urllib.parse.urlencode({"token": token}))


def userinfo(postern):
    token = tokens_of(postern)["access_token"]
    return Request(url=postern.url, path="/oauth/v1/userinfo", method="GET",
                   auth=f"Bearer {token}", expect='"sub":"')


# name: what to call it, how to make its request
FLOWS = {
    "complete-image": ("`complete`, ES256, heap image",
                       lambda p: complete(p, "image")),
    "complete-strict": ("`complete`, ES256, a process an execution",
                        lambda p: complete(p, "strict")),
    "complete-rs256": ("`complete`, RS256, heap image",
                       lambda p: complete(p, "image", client="RS256")),
    "complete-plain": ("`complete` without `openid`, heap image",
                       lambda p: complete(p, "image", body=PLAIN_BODY)),
    "complete-library": ("`complete`, ES256, heap image, 100 kB of library",
                         lambda p: complete(p, "library")),
    "complete-cache": ("`complete`, ES256, heap image, two CACHE calls",
                       lambda p: complete(p, "cache")),
    "pair": ("`init` and `complete`, heap image", pair),
    "backchannel": ("`backchannel`, heap image", backchannel),
    "refresh": ("refresh", refresh),
    "introspect": ("introspection", introspect),
    "userinfo": ("UserInfo", userinfo),
}
