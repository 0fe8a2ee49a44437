"""Waiting for a condition with a deadline: the only way tests wait."""

import time

POLL_SECS = 0.01


def until(condition, what, secs=10.0):
    """The first true value of condition(); fails naming `what` after secs."""
    deadline = time.monotonic() + secs
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {secs} s in vain for {what}")
        time.sleep(POLL_SECS)
