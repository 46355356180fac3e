# SPDX-License-Identifier: Apache-2.0
"""The keeper is small, and nobody has a capability that he does not need."""

import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.footprint import (CAPABILITIES, capabilities, kilobytes, libraries,
                           processes)
from lib.tap import Skip, case, check, check_equal, main

RESIDENT_MAX = 1536  # kB
ANONYMOUS_MAX = 256
_LIBC = ("libc.", "ld-linux", "/lib", "ld-musl")


def _check_sanitizers():
    for program in ("secretsfs-keeper", "secretsfs-notifier"):
        if any("san" in name for name in libraries(program)):
            raise Skip("sanitizers come with libraries of theirs")


@case
def keeper_and_notifier_need_the_c_library_at_most():
    _check_sanitizers()
    for program in ("secretsfs-keeper", "secretsfs-notifier"):
        more = [name for name in libraries(program)
                if not name.startswith(_LIBC)]
        check_equal(more, [], program)


@case
def a_keeper_takes_a_megabyte_and_a_half():
    _check_sanitizers()
    with processes() as pids:
        keeper = pids["keeper"]
        check(kilobytes(keeper, "RssAnon") <= ANONYMOUS_MAX,
              kilobytes(keeper, "RssAnon"))
        if libraries("secretsfs-keeper"):
            raise Skip("it shares the C library with other programs, which "
                       "counts in full")
        check(kilobytes(keeper, "VmRSS") <= RESIDENT_MAX,
              kilobytes(keeper, "VmRSS"))


def _sets(effective="", permitted=None, inheritable=""):
    values = (effective, effective if permitted is None else permitted,
              inheritable, "", "")
    return dict(zip(CAPABILITIES, values))


@case
def each_process_has_the_capabilities_of_its_work():
    kept = "KILL SETGID SETUID SYS_ADMIN"
    with processes() as pids:
        for name, wanted in (
                ("keeper", _sets(kept, "DAC_OVERRIDE " + kept,
                                 "DAC_OVERRIDE")),
                ("worker", _sets()),
                ("notifier", _sets("DAC_OVERRIDE"))):
            check_equal(capabilities(pids[name]), wanted, name)


main()
