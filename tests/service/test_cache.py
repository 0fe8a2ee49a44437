"""CACHE: all its members, kept by the gateway, shared as configured."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.service import assert_error, success, unique
from harness.standard import CACHE_ORDERS, standard_realm
from harness.wait import until


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("neighbour", "shared-one", "shared-two", "small")
    realm.idp("neighbour", CACHE_ORDERS)
    realm.idp("shared-one", CACHE_ORDERS, cache_namespace="shared")
    realm.idp("shared-two", CACHE_ORDERS, cache_namespace="shared")
    realm.idp("small", CACHE_ORDERS,
              script={"cache_entries": 3, "cache_value_kib": 1})
    return realm


def orders(service, idp, *them):
    answer = service.complete(idp, list(them))
    assert answer.status_code == 200, (answer.text, service.logs())
    return json.loads(answer.json()["data"])


def test_store_fetch_delete(service):
    key = unique()
    assert service.cache(["fetch", key]) == [None]
    service.cache(["store", key, "value"])
    assert service.cache(["fetch", key], ["fetch", key]) == ["value", "value"]
    service.cache(["store", key, "other"])
    assert service.cache(["fetch", key]) == ["other"]
    service.cache(["delete", key])
    assert service.cache(["fetch", key]) == [None]


@pytest.mark.parametrize("value", ["", "ü€😀", "a\u0000b", "x" * 10000])
def test_strings_come_back_as_they_were(service, value):
    key = unique()
    service.cache(["store", key, value])
    assert service.cache(["fetch", key]) == [value]


@pytest.mark.parametrize("value, text", [
    (7, "7"), (True, "true"), (None, "null"), ({"a": [1]}, '{"a":[1]}')])
def test_others_are_stored_as_json(service, value, text):
    key = unique()
    service.cache(["store", key, value])
    assert service.cache(["fetch", key]) == [text]


def test_take_gives_it_once(service):
    key = unique()
    service.cache(["store", key, "code"])
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda _: service.cache(["take", key])[0],
                              range(16)))
    assert sorted(taken, key=str) == sorted([None] * 15 + ["code"], key=str)


def test_increment_loses_none(service):
    key = unique()
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda _: service.cache(["increment", key])[0],
                                range(48)))
    assert sorted(numbers) == list(range(1, 49))
    assert service.cache(["fetch", key]) == ["48"]


def test_increment_of_no_number_throws(service):
    key = unique()
    service.cache(["store", key, "words"])
    answer = service.complete("cache", [["increment", key]])
    assert_error(answer, 500, "internal_server_error")
    assert int(service.failure_of(answer)["code"]) == 3001
    assert service.cache(["fetch", key]) == ["words"]


def test_a_value_expires(service):
    key, longer = unique(), unique()
    service.cache(["store", key, "v", 1], ["store", longer, "v", 300])
    begin = time.time()
    until(lambda: time.time() > begin + 2.1, "the value's end")
    assert service.cache(["fetch", key], ["take", key], ["fetch", longer]) == [
        None, None, "v"]
    assert service.cache(["increment", key]) == [1]


def test_namespaces(service):
    key = unique()
    service.cache(["store", key, "own"])
    assert orders(service, "neighbour", ["fetch", key]) == [None]
    orders(service, "shared-one", ["store", key, "shared"])
    assert orders(service, "shared-two", ["fetch", key]) == ["shared"]
    assert service.cache(["fetch", key]) == ["own"]


def test_backchannel_leaves_a_code_for_complete(service):
    key = unique()
    answer = service.backchannel("cache", [["store", key, "1234"]])
    assert answer.status_code == 200, answer.text
    assert service.cache(["take", key], ["take", key]) == ["1234", None]


def test_limits(service):
    keys = [unique() for _ in range(4)]
    for key in keys[:3]:
        orders(service, "small", ["store", key, "v"])
    answer = service.complete("small", [["store", keys[3], "v"]])
    assert_error(answer, 500, "internal_server_error")
    orders(service, "small", ["store", keys[0], "again"], ["delete", keys[1]],
           ["store", keys[3], "v"])
    answer = service.complete("small", [["store", keys[0], "x" * 1025]])
    assert_error(answer, 500, "internal_server_error")


@pytest.mark.parametrize("order", [
    ["store"], ["store", ""], ["fetch", ""], ["store", "k" * 2000, "v"],
    ["store", "k", "v", -1], ["store", "k", "v", 1e300], ["fetch"]])
def test_misuse_throws(service, order):
    answer = service.complete("cache", [order])
    assert_error(answer, 500, "internal_server_error")
    assert int(service.failure_of(answer)["code"]) == 3001
    assert service.complete("mirror", success()).status_code == 200


def test_it_survives_a_kill_of_both(start):
    service = start(standard_realm())
    service.cache(["store", "k", "kept"], ["store", "t", "code"],
                  ["take", "t"])
    service.gateway.kill()
    service.engine.kill()
    service.engine.start()
    service.restart(service.gateway)
    assert service.cache(["fetch", "k"], ["fetch", "t"]) == ["kept", None]


def test_the_database_holds_neither_key_nor_value(service):
    key, value = unique("key"), unique("value")
    service.cache(["store", key, value])
    for path in service.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert key.encode() not in content
            assert value.encode() not in content
