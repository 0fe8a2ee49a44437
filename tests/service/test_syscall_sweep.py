"""Every system call there is, from native code inside a script's process: only
the few of the allow-list come back, anything else ends the process."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.processes import BIN, SANITIZED
from harness.standard import standard_realm

RUNNER = BIN.parent / "tests" / "postern-runner-hostile"

pytestmark = [
    pytest.mark.skipif(
        SANITIZED, reason="a sanitizer's runtime needs a wider sandbox"),
    pytest.mark.skipif(
        not RUNNER.exists(), reason=f"{RUNNER} was not built")]

NATIVE = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  NATIVE[order[0]](order[1]);
  return {status: 2000, user: {id: "survived"}};
}
"""

NUMBERS = range(0, 601)
X32 = 0x40000000

# With all arguments 0: munmap, brk, gettimeofday, clock_gettime.
SURVIVE = {11, 12, 96, 228}

# rt_sigreturn without a signal's frame, exit_group: the process's own end.
END = {15, 231}

# uretprobe and uprobe: kernels from 6.14 on let them through every filter, to
# end in SIGILL outside a probe.
PROBES = {335, 336}

SURVIVED, CRASHED, VIOLATION = 0, 3013, 3014
AT_A_TIME = 4


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("native")
    realm.idp("native", NATIVE)
    return realm


@pytest.fixture(scope="module")
def running_service(realm):
    from harness.service import Service
    with Service(realm, engine_flags=(f"--runner={RUNNER}",)) as service:
        yield service


def codes_of(service, orders):
    """The internal code each order's execution ended with."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(
            lambda order: service.complete("native", order), orders))
    ends = {entry["correlation_id"]: entry["code"]
            for entry in service.gateway.log_entries()
            if entry.get("event") == "execution ended"}
    return [ends[a.headers["X-Correlation-Id"]] for a in answers]


def sweep(service, base):
    codes = codes_of(service, [["syscall", base + n] for n in NUMBERS])
    return dict(zip(NUMBERS, codes))


def test_only_the_allow_list_survives(service):
    codes = sweep(service, 0)
    survived = {n for n, code in codes.items() if code == SURVIVED}
    killed = {n for n, code in codes.items() if code == VIOLATION}
    assert survived - PROBES == SURVIVE
    for number in END:
        assert codes[number] == CRASHED, number
    assert set(NUMBERS) - killed == survived | END | {
        n for n in PROBES if codes[n] == CRASHED}


def test_no_x32_call_survives(service):
    codes = sweep(service, X32)
    assert {n for n, code in codes.items() if code != VIOLATION} == set()


def test_no_other_descriptor_can_be_written(service):
    descriptors = [0, 1, 2, 4, 5, 6, 7, 8, 100, 1023, -1, -100, 2147483647]
    codes = codes_of(service, [["writeOther", fd] for fd in descriptors])
    assert set(codes) == {VIOLATION}, dict(zip(descriptors, codes))


def test_the_engine_goes_on(service):
    before = service.engine.pid
    codes = codes_of(service, [["syscall", 12]])
    assert codes == [SURVIVED]
    assert service.engine.is_running() and service.engine.pid == before
