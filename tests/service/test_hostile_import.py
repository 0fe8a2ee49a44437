"""Scripts of the hostile corpus that the import refuses: in time, with file and
line, while the old realm stays in force."""

import time

import pytest

from harness.corpus import scripts
from harness.processes import SLOWNESS
from harness.realm import Realm
from harness.service import success
from harness.standard import MIRROR

REFUSED = scripts("refused")

# A check ends after 2 s, whatever it is given.
IMPORT_SECS = 4 * SLOWNESS


@pytest.fixture(scope="module")
def realm():
    realm = Realm()
    realm.scopes("read")
    realm.client("app", idps=["mirror"], default_scopes=["read"])
    realm.idp("mirror", MIRROR)
    return realm


@pytest.mark.parametrize("refused", REFUSED, ids=repr)
def test_refused_at_import(service, refused):
    """The old realm stays in force, the mistake has its file and line."""
    realm = service.realm
    before = dict(realm.files)
    realm.idp("refused", refused.source)
    begin = time.monotonic()
    try:
        service.reload("refused")
        took = time.monotonic() - begin
        problems = [e["problem"] for e in service.gateway.log_entries()
                    if "idps/refused/complete.js" in e.get("problem", "")]
        assert problems
        if "line" in refused.about:
            place = f"complete.js:{refused.about['line']}:"
            assert place in problems[-1]
        assert took < IMPORT_SECS
    finally:
        realm.files = before
    assert service.complete("mirror", success()).status_code == 200
