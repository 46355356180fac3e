# SPDX-License-Identifier: Apache-2.0
"""What an ordinary user has mounted, for a test that stays root meanwhile."""

import contextlib
import json
import os
import signal
import traceback

from lib.tap import CASE_SECONDS, check, check_equal
from lib.user import prepared_user


def _show(scene, tell, hold):
    """What the process of the user does: its exit code."""
    signal.alarm(CASE_SECONDS)
    try:
        with prepared_user() as user:
            user.become()
            with scene as found:
                with open(tell, "w", encoding="utf-8") as file:
                    json.dump(found, file)
                os.read(hold, 1)
        return 0
    except BaseException:  # no case may go on here
        for line in traceback.format_exc().splitlines():
            print(f"# {line}", flush=True)
        return 1


@contextlib.contextmanager
def users_scene(scene):
    """What a context manager gives to a user who enters it in a process of his
    own, by way of JSON. It is left when this one is."""
    told, tell = os.pipe()
    hold, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        os.close(release)
        os._exit(_show(scene, tell, hold))
    os.close(tell)
    os.close(hold)
    try:
        with open(told, encoding="utf-8") as file:
            text = file.read()
        check(text, "the user has nothing to show")
        yield json.loads(text)
    finally:
        os.close(release)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    check_equal(code, 0, "the user's exit code")
