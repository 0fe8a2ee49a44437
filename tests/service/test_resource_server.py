"""A resource server of Debian's, Apache with mod_auth_openidc, takes tokens
that `complete` issued: by introspection and by the key set, both over https
through HAProxy with a test CA."""

import time

import pytest

from harness import oauth
from harness.oauth import (grant, refreshed, revoke, userinfo,
                           verified)
from harness.realm import SECRET
from harness.resource_server import Edge, ResourceServer
from harness.service import Service
from harness.wait import until


@pytest.fixture(scope="module")
def edge():
    made = Edge()
    yield made
    made.end()


@pytest.fixture(scope="module")
def running_service(edge):
    flags = ["--edge-tls=yes", "--trusted-proxy=127.0.0.1"]
    with Service(oauth.oauth_realm(), gateway_flags=flags,
                 public_url=edge.url) as service:
        edge.start(service.port)
        yield service


@pytest.fixture(scope="module")
def server(edge, running_service):
    made = ResourceServer(edge, SECRET)
    yield made
    print(edge.logs())


def test_the_edge_speaks_for_the_gateway(service, edge):
    document = edge.session.get(
        edge.url + "/oauth/.well-known/openid-configuration").json()
    assert document["issuer"] == edge.url + "/oauth"
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(edge.url + "/oauth/")
    tokens = grant(service)
    _, claims = verified(service, tokens["id_token"])
    assert claims["iss"] == document["issuer"]
    answer = edge.session.get(document["userinfo_endpoint"], headers={
        "Authorization": "Bearer " + tokens["access_token"]})
    assert answer.status_code == 200


@pytest.mark.parametrize("by", ["introspection", "keys"])
def test_without_a_token(server, by):
    assert server.get(by).status_code == 401
    assert server.get(by, "A" * 64).status_code == 401


@pytest.mark.parametrize("client", ["app", "jwt", "jwt-es256", "jwt-ps256"])
def test_by_introspection(service, server, client):
    tokens = grant(service, client, ["openid", "read"])
    text = tokens["access_token"]
    for _ in range(3):
        assert server.get("introspection", text).status_code == 200
    assert server.get("introspection", text,
                      "/writers/index.html").status_code in (401, 403)
    writer = grant(service, client, ["openid", "write"])["access_token"]
    assert server.get("introspection", writer,
                      "/writers/index.html").status_code == 200
    # At once: not a single request more.
    assert revoke(service, text, client).status_code == 200
    assert server.get("introspection", text).status_code == 401
    assert server.get("introspection", writer).status_code == 200


def test_by_introspection_a_family(service, server):
    """Revoking the refresh token is enough."""
    tokens = grant(service)
    second = refreshed(service, tokens["refresh_token"])
    texts = [t["access_token"] for t in (tokens, second)]
    for text in texts:
        assert server.get("introspection", text).status_code == 200
    assert revoke(service, second["refresh_token"]).status_code == 200
    for text in texts:
        assert server.get("introspection", text).status_code == 401


def test_by_keys_until_exp(service, server):
    """`jwt-brief` lives 10 s. Revocation cannot reach who does not ask."""
    text = grant(service, "jwt-brief")["access_token"]
    _, claims = verified(service, text)
    assert server.get("keys", text).status_code == 200
    assert revoke(service, text, "jwt-brief").status_code == 200
    assert userinfo(service, text).status_code == 401
    until(lambda: server.get("keys", text).status_code == 401,
          "the token to be refused", 30)
    assert time.time() >= claims["exp"]


@pytest.mark.parametrize("client", ["jwt", "jwt-es256", "jwt-ps256"])
def test_by_keys(service, server, client):
    text = grant(service, client)["access_token"]
    assert server.get("keys", text).status_code == 200
    head, body, signature = text.split(".")
    other = grant(service, client)["access_token"].split(".")
    assert server.get("keys", f"{head}.{other[1]}.{signature}"
                      ).status_code == 401
    assert server.get("keys", f"{head}.{body}.").status_code == 401


def test_by_keys_an_opaque_token(service, server):
    assert server.get("keys",
                      grant(service)["access_token"]).status_code == 401
