# SPDX-License-Identifier: Apache-2.0
"""The programs are linked as configure was asked to: nothing is bound while
they run, tables are read-only then, and no stack can be executed. Reads ELF
files of every architecture with 64 bits."""

import collections
import os
import struct

from lib.place import BUILD
from lib.tap import case, check, check_equal, main

PROGRAMS = ("secretsfs", "secretsfs-keeper", "secretsfs-notifier",
            "secretsfs-worker")

_ET_DYN = 3
_PT_DYNAMIC = 2
_PT_GNU_STACK = 0x6474e551
_PT_GNU_RELRO = 0x6474e552
_PF_X = 1
_DT_FLAGS = 30
_DF_BIND_NOW = 8
_DT_FLAGS_1 = 0x6ffffffb
_DF_1_NOW = 1

Segment = collections.namedtuple("Segment", "flags start length")


def _image(program):
    with open(os.path.join(BUILD, program), "rb") as file:
        return file.read()


def _segments(image):
    """Type -> the last segment of it."""
    start, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    segments = {}
    for at in range(start, start + size * count, size):
        kind, flags, offset, _, _, length = struct.unpack_from("<IIQQQQ",
                                                               image, at)
        segments[kind] = Segment(flags, offset, length)
    return segments


def _dynamic(image):
    """Tag -> value."""
    segment = _segments(image)[_PT_DYNAMIC]
    return dict(struct.unpack_from("<QQ", image, segment.start + at)
                for at in range(0, segment.length, 16))


@case
def every_program_can_be_loaded_anywhere():
    for program in PROGRAMS:
        image = _image(program)
        check_equal(image[:6], b"\x7fELF\x02\x01", program)
        check_equal(struct.unpack_from("<H", image, 16), (_ET_DYN,), program)


@case
def no_call_is_bound_while_a_program_runs():
    for program in PROGRAMS:
        tags = _dynamic(_image(program))
        check(tags.get(_DT_FLAGS, 0) & _DF_BIND_NOW or
              tags.get(_DT_FLAGS_1, 0) & _DF_1_NOW, program)


@case
def tables_are_read_only_and_stacks_hold_no_code():
    for program in PROGRAMS:
        segments = _segments(_image(program))
        check(_PT_GNU_RELRO in segments, program)
        check(_PT_GNU_STACK in segments, program)
        check(not segments[_PT_GNU_STACK].flags & _PF_X, program)


main(mounts=False)
