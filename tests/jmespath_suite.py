#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The compliance suite of jmespath.org (github.com/jmespath/jmespath.test),
where it is at hand: in the folder that SECRETSFS_JMESPATH_SUITE names, or in
../shared/data/jmespath beside the source. Without it the cases are skipped.

Results are compared as JSON with numbers by value, errors by their kind.
"""

import collections
import glob
import json
import os
import struct
import subprocess

from lib.place import SOURCE, built
from lib.tap import Skip, case, check, check_equal, main

FOLDER = os.environ.get(
    "SECRETSFS_JMESPATH_SUITE",
    os.path.join(SOURCE, "..", "shared", "data", "jmespath"))

# What the suite has at least: one that shrinks by accident must be seen.
CASES_MIN = 900
MILLISECONDS_MAX = 50

Question = collections.namedtuple("Question", "file given case")


def _questions():
    """Each case of the suite with the document that it asks."""
    paths = sorted(glob.glob(os.path.join(FOLDER, "*.json")))
    if not paths:
        raise Skip(f"there is no suite in {FOLDER}")
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            groups = json.load(file)
        found += [Question(os.path.basename(path), group["given"], one)
                  for group in groups for one in group["cases"]]
    return found


def _fed(text):
    encoded = text.encode("utf-8")
    return struct.pack("<I", len(encoded)) + encoded


def _answers(questions):
    """(milliseconds, word, rest) for each question."""
    fed = b"".join(_fed(question.case["expression"]) +
                   _fed(json.dumps(question.given))
                   for question in questions)
    result = subprocess.run(
        [built("tests/jmespath_dump")], input=fed,
        stdout=subprocess.PIPE, timeout=60, check=True)
    lines = result.stdout.decode("utf-8").splitlines()
    check_equal(len(lines), len(questions), "answers")
    for line in lines:
        microseconds, word, *rest = line.split(" ", 2)
        yield int(microseconds) / 1000, word, rest[0] if rest else ""


def _value(word, rest):
    if word == "null":
        return None
    text = bytes.fromhex(rest).decode("utf-8")
    return text if word == "string" else json.loads(text)


def _is_same(got, wanted):
    """As == is, but for True and 1, which are the same to Python."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(_is_same, got, wanted))
    if isinstance(got, dict) and isinstance(wanted, dict):
        return (got.keys() == wanted.keys() and
                all(_is_same(got[name], wanted[name]) for name in got))
    return got == wanted


def _fault(question, word, rest):
    """What is wrong with an answer; None if nothing is."""
    wanted = question.case
    if "error" in wanted:
        kind = rest.split(" ", 1)[0] if word == "error" else word
        if kind == wanted["error"]:
            return None
        return f"{kind} instead of the error {wanted['error']}"
    if word == "error":
        return f"refused: {rest}"
    if "result" in wanted and not _is_same(_value(word, rest),
                                           wanted["result"]):
        return f"{_value(word, rest)!r} instead of {wanted['result']!r}"
    return None


def _kind(question):
    return next(kind for kind in ("error", "result", "bench")
                if kind in question.case)


@case
def each_case_of_the_suite_has_its_result_or_its_kind_of_error():
    questions = _questions()
    counts = collections.Counter()
    faults = []
    for question, (_, word, rest) in zip(questions, _answers(questions)):
        fault = _fault(question, word, rest)
        counts[_kind(question), "no" if fault else "ok"] += 1
        if fault:
            faults.append(f"{question.file}: {question.case['expression']}: "
                          f"{fault}")
    for (kind, answer), count in sorted(counts.items()):
        print(f"# {kind}: {count} {answer}")
    check(not faults, *(f"\n{fault}" for fault in faults))
    check(len(questions) >= CASES_MIN, "only", len(questions), "cases")


@case
def no_case_of_the_suite_takes_long():
    questions = _questions()
    slowest, question = max(
        ((taken, question) for question, (taken, _, _)
         in zip(questions, _answers(questions))), key=lambda pair: pair[0])
    print(f"# slowest: {slowest:.3f} ms, {question.file}: "
          f"{question.case.get('comment', question.case['expression'])}")
    check(slowest < MILLISECONDS_MAX, slowest, "ms for",
          question.case["expression"])


main(mounts=False)
