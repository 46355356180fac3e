# SPDX-License-Identifier: Apache-2.0
"""What must be in no log: all that the fakes of this process ever gave out or
were shown, and what a test says."""

import json

# Shorter ones, or such as are names too, stand in logs rightly.
LENGTH_MIN = 8
_RIGHTLY = {"password", "username"}

_found = set()


def _leaves(document):
    if isinstance(document, dict):
        for value in document.values():
            yield from _leaves(value)
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value)
    elif isinstance(document, str):
        yield document


def mark(text):
    """A value, with what it consists of where it is JSON; a key; a token."""
    if isinstance(text, dict):
        for one in text.values():
            mark(one)
    if not isinstance(text, str):
        return
    if len(text) >= LENGTH_MIN and text not in _RIGHTLY:
        _found.add(text)
    try:
        document = json.loads(text)
    except ValueError:
        return
    if not isinstance(document, str):
        for leaf in _leaves(document):
            mark(leaf)


def found_in(text):
    """What of it stands there, shortened."""
    return [one[:12] for one in set(_found) if one in text]
