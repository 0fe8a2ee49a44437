"""profile_id: a client's profile belongs to one user (SPEC 1)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.service import assert_error, success
from harness.tokens import grant, is_active, token_realm


@pytest.fixture(scope="module")
def realm():
    realm = token_realm()
    realm.client("takes-profile-too", idps=["mirror", "two"],
                 profile="optional", default_scopes=["read"])
    return realm


def register(service, user, profile, client="takes-profile"):
    return service.complete("mirror", success(user), client=client,
                            members={"profile_id": profile})


def test_the_same_user_again(service):
    for _ in range(3):
        assert register(service, "ada", "AAA111").status_code == 200


def test_another_user_is_refused(service):
    assert register(service, "ada", "BBB222").status_code == 200
    before = service.count("postern_registrations_total",
                           outcome="invalid_profile")
    assert_error(register(service, "eve", "BBB222"), 400, "invalid_profile")
    assert service.count("postern_registrations_total",
                         outcome="invalid_profile") == before + 1
    assert register(service, "eve", "BBB223").status_code == 200


def test_another_client_has_profiles_of_its_own(service):
    assert register(service, "ada", "CCC333").status_code == 200
    assert register(service, "eve", "CCC333",
                    "takes-profile-too").status_code == 200


def test_refused_at_settling_the_transaction_is_spent(service):
    assert register(service, "ada", "DDD444").status_code == 200
    transaction = service.transaction(client="takes-profile")
    members = {"profile_id": "DDD444"}
    issued = service.count("postern_tokens_issued_total")
    answer = service.complete("two", success("eve"), transaction,
                              client="takes-profile", members=members)
    assert_error(answer, 400, "invalid_profile")
    assert service.count("postern_tokens_issued_total") == issued
    answer = service.complete("two", success("ada"), transaction,
                              client="takes-profile", members=members)
    assert_error(answer, 400, "invalid_transaction")


def test_of_many_at_once_one_user_wins(service):
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(register, service, f"u{i}", "EEE555")
                   for i in range(20)]
        statuses = sorted(a.result().status_code for a in answers)
    assert statuses == [200] + [400] * 19


def test_bound_across_a_restart(start):
    service = start(token_realm())
    assert register(service, "ada", "FFF666").status_code == 200
    service.gateway.kill()
    service.restart(service.gateway)
    assert_error(register(service, "eve", "FFF666"), 400, "invalid_profile")


def test_stateless_has_no_refresh_token(service):
    """The grant type is the client's to use, and leaves an access token."""
    members = {"grant_type": "urn:onewelcome:oauth2:grant_type:"
                             "stateless_authentication"}
    tokens = grant(service, "stateless", members=members)
    assert "refresh_token" not in tokens
    assert is_active(service, tokens["access_token"])
    answer = service.complete("mirror", success(), members=members)
    assert_error(answer, 400, "invalid_request")
