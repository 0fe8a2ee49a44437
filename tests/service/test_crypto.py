"""CRYPTO with keys: vectors of the RFCs, and where the keys are not."""

import base64
import hashlib
import json
import os
import subprocess
import threading
import time

import pytest
from jwcrypto import jwk, jws

from harness.partner import Partner
from harness.processes import SANITIZED
from harness.service import unique
from harness.standard import standard_realm
from harness.wait import until

CALLS = """
function execute(requestPayload) {
  var results = JSON.parse(requestPayload).map(function (order) {
    try {
      return CRYPTO[order[0]].apply(CRYPTO, order.slice(1));
    } catch (e) {
      return {name: e.name, code: e.code, message: e.message};
    }
  });
  return {status: 2000, user: {id: "x"}, responsePayload: results};
}
"""
READS = """
function execute(requestPayload) {
  return {status: 2000, user: {id: "x"},
          responsePayload: PROPERTIES.get(requestPayload)};
}
"""
# Uses the key, then holds still while the test reads its memory.
HOLDS = """
function execute() {
  var token = CRYPTO.jwtSign({a: 1}, {key: "secret", alg: "HS256"});
  var verdict = CRYPTO.jwtVerify(token, {key: "secret",
                                         algorithms: ["HS256"]});
  HTTP.get(PROPERTIES.hold);
  return {status: 2000, user: {id: "x"}, responsePayload: verdict.valid};
}
"""

# RFC 7515 appendix A.1 and A.3.
A1_KEY = ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS"
          "4hcgUuTwjAzZr1Z9CAow")
CLAIMS = ("eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcG"
          "xlLmNvbS9pc19yb290Ijp0cnVlfQ")
A1 = ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + CLAIMS
      + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
A3_KEY = {"kty": "EC", "crv": "P-256",
          "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
A3 = ("eyJhbGciOiJFUzI1NiJ9." + CLAIMS
      + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"
        "xfKTUJqPP3-Kg6NU1Q")
SECRET = unique("key-that-no-script-process-holds") + "x" * 32

PAIRS = {"RS256": jwk.JWK.generate(kty="RSA", size=2048, kid="rsa"),
         "ES256": jwk.JWK.generate(kty="EC", crv="P-256", kid="ec"),
         "ES384": jwk.JWK.generate(kty="EC", crv="P-384"),
         "ES512": jwk.JWK.generate(kty="EC", crv="P-521")}
for name in ("RS384", "RS512", "PS256", "PS384", "PS512"):
    PAIRS[name] = PAIRS["RS256"]
SMALL = jwk.JWK.generate(kty="RSA", size=1024)


def pem(key, private=True):
    return key.export_to_pem(private, None).decode()


def public(key):
    return json.loads(key.export_public())


@pytest.fixture(scope="module")
def holder():
    partner = Partner()
    yield partner
    partner.close()


@pytest.fixture(scope="module")
def realm(holder):
    realm = standard_realm("crypto", "reads", "holds", "elsewhere")
    url = f"http://127.0.0.1:{holder.port}/held"
    rows = [{"id": "hold", "value": url},
            {"id": "secret", "value": SECRET, "kind": "key"},
            {"id": "short", "value": "too-short", "kind": "key"},
            {"id": "small", "value": pem(SMALL), "kind": "key"},
            {"id": "jwk", "value": PAIRS["ES256"].export(), "kind": "key"},
            {"id": "elsewhere", "value": SECRET, "kind": "key",
             "idps": ["elsewhere"]}]
    rows += [{"id": alg, "value": pem(key), "kind": "key"}
             for alg, key in PAIRS.items()]
    realm.properties(*rows)
    realm.idp("crypto", CALLS)
    realm.idp("elsewhere", CALLS)
    realm.idp("reads", READS)
    realm.idp("holds", HOLDS,
              http={"allow": [f"127.0.0.1:{holder.port}"]})
    return realm


@pytest.fixture
def call(service):
    def call(*orders, idp="crypto"):
        answer = service.complete(idp, list(orders))
        assert answer.status_code == 200, (answer.text, service.logs())
        return json.loads(answer.json()["data"])
    return call


def test_rfc_7515(call):
    """Their signatures are good and their exp is long past."""
    trust = {"jwk": {"kty": "oct", "k": A1_KEY}, "algorithms": ["HS256"]}
    ec_trust = {"jwk": A3_KEY, "algorithms": ["ES256"]}
    broken = A3[:-8] + "AAAAAAA" + A3[-1]
    results = call(["jwtVerify", A1, trust], ["jwtVerify", A3, ec_trust],
                   ["jwtVerify", broken, ec_trust],
                   ["jwtVerify", A3.replace("eyJpc3Mi", "eyJpc3Nj"), ec_trust])
    assert [r["error"] for r in results[:2]] == ["expired", "expired"]
    assert [r["valid"] for r in results] == [False] * 4
    assert results[2]["error"] == results[3]["error"] == "signature"
    assert all(r["claims"] is None for r in results)
    assert results[0]["header"] == {"typ": "JWT", "alg": "HS256"}


@pytest.mark.parametrize("alg", sorted(PAIRS))
def test_sign_and_verify(call, alg):
    claims = {"sub": "ü", "n": [1, {"a": None}]}
    [token] = call(["jwtSign", claims, {"key": alg, "alg": alg, "kid": "k"}])
    header = {"alg": alg, "typ": "JWT", "kid": "k"}
    parsed = jws.JWS()
    parsed.deserialize(token)
    parsed.allowed_algs = [alg]
    parsed.verify(PAIRS[alg])
    assert json.loads(parsed.payload) == claims
    key = public(PAIRS[alg])
    key.pop("kid", None)
    good = {"valid": True, "header": header, "claims": claims, "error": None}
    # A PS token is none of RS, and the other way round.
    wrong = {"algorithms": ["HS256", "RS256" if alg != "RS256" else "PS256"],
             "jwk": key}
    assert call(
        ["jwtVerify", token, {"jwk": key, "algorithms": [alg]}],
        ["jwtVerify", token, {"jwks": {"keys": [key]}, "algorithms": [alg]}],
        ["jwtVerify", token, {"pem": pem(PAIRS[alg], False),
                              "algorithms": [alg]}],
        ["jwtVerify", token, {"key": alg, "algorithms": [alg]}]) == [good] * 4
    assert call(["jwtVerify", token, wrong])[0]["error"] == "algorithm"


def test_tokens_of_others(call):
    now = int(time.time())

    def check(claims, **options):
        token = jws.JWS(json.dumps(claims))
        token.add_signature(PAIRS["ES256"], None,
                            json.dumps({"alg": "ES256", "kid": "ec"}))
        return call(["jwtVerify", token.serialize(compact=True), {
            "jwks": {"keys": [public(PAIRS["RS256"]),
                              public(PAIRS["ES256"])]},
            "algorithms": ["RS256", "ES256"], **options}])[0]["error"]
    assert check({}) is None
    assert check({"exp": now + 60, "nbf": now - 60, "iat": now}) is None
    assert check({"exp": now - 5}) == "expired"
    assert check({"exp": now - 5}, clockSkew=60) is None
    assert check({"nbf": now + 60}) == "not_yet_valid"
    assert check({"nbf": now + 30}, clockSkew=60) is None
    assert check({"exp": "soon"}) == "malformed"
    assert check({"iss": "a"}, issuer="a") is None
    assert check({"iss": "b"}, issuer="a") == "issuer"
    assert check({}, issuer="a") == "issuer"
    assert check({"aud": "me"}, audience="me") is None
    assert check({"aud": ["x", "me"]}, audience="me") is None
    assert check({"aud": ["x"]}, audience="me") == "audience"


def encode(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_attacks_on_tokens(call):
    public_pem = pem(PAIRS["RS256"], False)
    hmac = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).decode()
    confused = f"{encode({'alg': 'HS256'})}.{encode({})}.{hmac.rstrip('=')}"
    trust = {"pem": public_pem, "algorithms": ["RS256", "HS256"]}
    none = encode({"alg": "none"}) + "." + encode({"sub": "x"}) + "."
    critical = (encode({"alg": "RS256", "crit": ["exp"]})
                + f".{encode({})}.AAAA")
    twice = encode('{"alg":"RS256","alg":"none"}') + f".{encode({})}.AAAA"
    deep = encode("[" * 5000 + "]" * 5000)
    results = call(
        ["jwtVerify", confused, trust], ["jwtVerify", none, trust],
        ["jwtVerify", none + "AAAA", trust], ["jwtVerify", critical, trust],
        ["jwtVerify", twice, trust], ["jwtVerify", "a.b", trust],
        ["jwtVerify", "", trust], ["jwtVerify", A1 + ".x", trust],
        ["jwtVerify", f"{deep}.{encode({})}.AAAA", trust])
    assert [r["error"] for r in results] == [
        "key", "malformed", "algorithm", "malformed", "malformed",
        "malformed", "malformed", "malformed", "malformed"]
    assert not any(r["valid"] for r in results)


@pytest.mark.parametrize("order, words", [
    (["jwtVerify", A1, {"key": "secret", "algorithms": ["none"]}],
     "algorithms must name"),
    (["jwtVerify", A1, {"key": "secret"}], "algorithms must be an array"),
    (["jwtVerify", A1, {"algorithms": ["HS256"]}], "exactly one of"),
    (["jwtVerify", A1, {"key": "hold", "algorithms": ["HS256"]}],
     "no property of this id"),
    (["jwtVerify", A1, {"key": "elsewhere", "algorithms": ["HS256"]}],
     "no property of this id"),
    (["jwtSign", {}, {"key": "short", "alg": "HS256"}], "at least 32 bytes"),
    (["jwtSign", {}, {"key": "small", "alg": "RS256"}], "2048"),
    (["jwtSign", {}, {"key": "RS256", "alg": "HS256"}], "needs a secret"),
    (["jwtSign", {}, {"key": "secret", "alg": "RS256"}], "needs a key pair"),
    (["jwtSign", {}, {"key": "ES256", "alg": "ES384"}], "curve"),
    (["jwtSign", {}, {"key": "secret", "alg": "none"}], "no such alg"),
    (["pbkdf2Verify", "p", {"digest": "md5", "iterations": 1, "salt": "",
                            "hash": "A" * 44}], "digest"),
    (["argon2idVerify", "p", "$argon2id$v=19$m=,t=1,p=1$c2FsdA$aA"],
     "expects"),
    (["argon2idVerify", "p", "$argon2id$v=19$m=99999999999999999999,t=1,p=1$"],
     "costs more"),
    (["argon2idVerify", "p", "$argon2id$v=19$m=400000,t=1,p=1$c2FsdA$aA"],
     "costs more")])
def test_misuse(call, order, words):
    [result] = call(order)
    assert words in result["message"], result


def test_a_jwk_property_signs_and_verifies(call):
    options = {"key": "jwk", "alg": "ES256", "kid": "ec"}
    [token] = call(["jwtSign", {"a": 1}, options])
    [verdict] = call(["jwtVerify", token, {"key": "jwk",
                                           "algorithms": ["ES256"]}])
    assert verdict["claims"] == {"a": 1}


def test_passwords(call):
    salt = os.urandom(16)
    derived = hashlib.pbkdf2_hmac("sha256", b"secret", salt, 60000)
    options = {"digest": "sha256", "iterations": 60000,
               "salt": base64.b64encode(salt).decode(),
               "hash": base64.b64encode(derived).decode()}
    # Made with argon2(1): -id -t 2 -m 16 -p 1, password "password".
    encoded = ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"
               "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
    assert call(["pbkdf2Verify", "secret", options],
                ["pbkdf2Verify", "Secret", options],
                ["argon2idVerify", "password", encoded],
                ["argon2idVerify", "Password", encoded]) == [
        True, False, True, False]


def test_a_key_cannot_be_read(service):
    answer = service.complete("reads", "secret")
    failure = service.failure_of(answer)
    assert int(failure["code"]) == 3001
    assert "kind: key" in json.dumps(failure)
    assert service.complete("reads", "hold").json()["data"].startswith("http")


def memory_of(pid):
    """All that can be read of it, block by block."""
    with open(f"/proc/{pid}/maps") as maps:
        ranges = [line.split()[0].split("-") for line in maps
                  if line.split()[1].startswith("r")]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end in ((int(a, 16), int(b, 16)) for a, b in ranges):
            try:
                memory.seek(begin)
                yield memory.read(end - begin)
            except (OSError, OverflowError, ValueError):
                continue


@pytest.mark.skipif(os.getuid() != 0 or SANITIZED,
                    reason="reads other processes' memory")
def test_no_script_process_ever_holds_a_key(service, holder):
    holder.requests.clear()
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(service.complete("holds")))
    thread.start()
    try:
        until(lambda: holder.requests, "the script to be held")
        seen = 0
        for pid in service.runners():
            for block in memory_of(pid):
                seen += len(block)
                assert SECRET.encode() not in block, pid
        assert seen > 1000000
        # The same search does find it where it has to be.
        assert any(SECRET.encode() in block
                   for block in memory_of(service.engine.pid))
    finally:
        holder.release.set()
        thread.join()
    assert answers[0].json()["data"] == "true", service.logs()
    assert SECRET not in service.engine.log_text()
    assert SECRET not in service.gateway.log_text()
