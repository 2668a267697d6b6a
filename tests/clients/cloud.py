"""Files as other programs, scripts and strangers meet them: which of the tests are done where."""

import os

import cloud_broken
import cloud_hostile
import cloud_http
import cloud_talk


def tests(encrypted):
    """All, in the clear; over TLS those for which it makes a difference."""
    chosen = [*cloud_http.TESTS, *cloud_talk.TESTS, *cloud_hostile.TESTS, *cloud_broken.TESTS]
    if encrypted:
        return chosen
    chosen += [*cloud_hostile.CLEAR_TESTS, *cloud_broken.CLEAR_TESTS]
    if os.geteuid() != 0:
        print("NOT DONE: a full disk; only root may mount one", flush=True)
        return chosen
    return chosen + cloud_broken.ROOT_TESTS
