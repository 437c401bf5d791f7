"""Waiting for a condition, with a deadline: the only place of these tests that sleeps."""

import time


def eventually(condition, seconds=10.0, what="the condition"):
    """Returns the first true value of condition(); fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} was not met within {seconds} s")
        time.sleep(0.01)
