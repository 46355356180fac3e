# SPDX-License-Identifier: Apache-2.0
"""Cases that report in TAP, as automake's driver reads it.

A case is a function whose name is a sentence. Cases run in the order of the
file, each within a time limit, and a failure says why in "#" lines.
"""

import os
import signal
import sys
import traceback

CASE_SECONDS = 240

_cases = []


class Skip(Exception):
    """Raised by a case that cannot run here; its text is the reason."""


def case(function):
    _cases.append(function)
    return function


def check(condition, *explanation):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in explanation))


def check_equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.400}, wanted {wanted!r:.400}")


def why_no_mounts():
    """Why a file system cannot be mounted here; None if it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    return None


def _on_alarm(_signal, _frame):
    raise TimeoutError("still running when its time was over")


def _say(text):
    print(text, flush=True)


def _run(number, function, seconds):
    name = function.__name__.replace("_", " ")
    signal.alarm(seconds)
    try:
        function()
    except Skip as reason:
        _say(f"ok {number} - {name} # SKIP {reason}")
        return
    except Exception:  # every failure of a case is reported the same way
        signal.alarm(0)
        for line in traceback.format_exc().splitlines():
            _say(f"# {line}")
        _say(f"not ok {number} - {name}")
        return
    finally:
        signal.alarm(0)
    _say(f"ok {number} - {name}")


def main(mounts=True, seconds=CASE_SECONDS):
    """Runs the cases of the program, each for so long at most.

    The exit code stays 0 when cases fail: the driver counts "not ok" lines,
    and would count the exit code as one failure more.
    """
    reason = why_no_mounts() if mounts else None
    if reason:
        _say(f"1..0 # SKIP {reason}")
        sys.exit(0)

    os.umask(0o022)  # the worker's user must read what tests write
    signal.signal(signal.SIGALRM, _on_alarm)
    _say(f"1..{len(_cases)}")
    for number, function in enumerate(_cases, 1):
        _run(number, function, seconds)
    sys.exit(0)
