# SPDX-License-Identifier: Apache-2.0
"""What must be in no log: all that the fakes of this process ever gave out or
were shown, what stands in files in the place of AWS, and what a test says."""

import contextlib
import json
import os

from lib.tap import check

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


def marked(text):
    """The same, for who writes it down where it is used."""
    mark(text)
    return text


def _files_of(source, options):
    if source.startswith("file:"):
        yield source[len("file:"):]
    for option, directory in zip(options, options[1:]):
        if option == "--offline":
            for top, _, names in os.walk(directory):
                yield from (os.path.join(top, name) for name in names
                            if name.endswith(".json"))


def mark_files(source, options):
    """What a mount shows that asks no AWS, as far as it is text."""
    for path in _files_of(source, options):
        if os.path.isfile(path):
            with contextlib.suppress(OSError, UnicodeDecodeError), \
                    open(path, encoding="utf-8") as file:
                mark(file.read().strip())


def check_logs(*paths):
    """Of logs, as far as they are there."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError), \
                open(path, encoding="utf-8", errors="replace") as log:
            shown = found_in(log.read())
            check(not shown, path, "shows", shown)


def found_in(text):
    """What of it stands there, shortened."""
    return [one[:12] for one in set(_found) if one in text]
