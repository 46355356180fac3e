# SPDX-License-Identifier: Apache-2.0
"""Cases that run twice: as on a kernel that sends requests again, and as on one
that does not, where workers have them from the journal."""

from lib.tap import case

_WAYS = {"": (), " with the journal": ("--test-no-resend",)}
_way = []


def way():
    """The options of secretsfs for the way of the case that runs."""
    return tuple(_way)


def each_way(function):
    """A decorator, in place of case()."""
    for name, options in _WAYS.items():
        case(_in_way(function, name, options))
    return function


def _in_way(function, name, options):
    def run():
        _way[:] = options
        function()
    run.__name__ = function.__name__ + name
    return run
