# SPDX-License-Identifier: Apache-2.0
"""What /metrics says, what docs/METRICS.md says of it, and Prometheus's own
tool, where it is."""

import collections
import http.client
import os
import re
import shutil

from lib.place import SOURCE
from lib.tap import Skip, check, check_equal
from lib.wait import wait_until

Documented = collections.namedtuple("Documented", "type labels")
Sample = collections.namedtuple("Sample", "name labels value")
Reply = collections.namedtuple("Reply", "status headers text")

_ROW = re.compile(r"^\| `(secretsfs_\w+)` \| (\w+) \|([^|]*)\| .+ \|$",
                  re.MULTILINE)
_SAMPLE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? '
                     r"(-?[0-9.]+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPE = {"\\n": "\n", "\\\\": "\\", '\\"': '"'}
_PORT = re.compile(r"metrics are served address=\S+ port=(\d+)")

HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


def documented():
    """What docs/METRICS.md says, by name."""
    path = os.path.join(SOURCE, "docs", "METRICS.md")
    with open(path, encoding="utf-8") as file:
        rows = _ROW.findall(file.read())
    found = {name: Documented(kind, set(re.findall(r"`(\w+)`", labels)))
             for name, kind, labels in rows}
    check_equal(len(found), len(rows), "rows of one name")
    check(found, "docs/METRICS.md has no metrics")
    return found


def family_of(name, known):
    """The metric that a sample's name belongs to; None: there is none."""
    if name in known:
        return name
    for part in HISTOGRAM_PARTS:
        base = name.removesuffix(part)
        if base != name and base in known and \
                known[base].type == "histogram":
            return base
    return None


def promtool():
    found = os.environ.get("SECRETSFS_PROMTOOL") or shutil.which("promtool")
    if not found or not os.path.exists(found):
        raise Skip("there is no promtool; contrib/check gets it")
    return found


def port_of(mount):
    """The last worker's."""
    wait_until(lambda: _PORT.search(mount.log_text()),
               "the worker names its port")
    return int(_PORT.findall(mount.log_text())[-1])


def ask(port, path, method="GET", source="127.0.0.1"):
    """A whole reply. A worker that does not answer in time is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20,
                                            source_address=(source, 0))
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return Reply(reply.status, dict(reply.getheaders()),
                     reply.read().decode())
    finally:
        connection.close()


def parse(text):
    """(types by name, samples) of a text in the format 0.0.4."""
    types = {}
    samples = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            check(name not in types, name, "begins twice")
            types[name] = kind
        elif not line.startswith("# HELP "):
            match = _SAMPLE.match(line)
            check(match, "no sample:", repr(line))
            labels = {name: re.sub(r"\\.", lambda one: _ESCAPE[one[0]], value)
                      for name, value in _LABEL.findall(match[2] or "")}
            samples.append(Sample(match[1], labels, float(match[3])))
    return types, samples


def scrape(mount):
    """The samples of now, or of a second ago."""
    reply = ask(port_of(mount), "/metrics")
    check_equal(reply.status, 200, reply.text)
    return parse(reply.text)[1]


def value_of(samples, name, /, **labels):
    """The sum of the samples that have these labels; None: there are none."""
    found = [one.value for one in samples if one.name == name and
             labels.items() <= one.labels.items()]
    return sum(found) if found else None


def wait_for_metric(mount, wanted, name, /, **labels):
    """Until the sum is what is wanted; since metrics are written once a second
    at most, what was just done may not show yet."""
    last = []

    def is_there():
        last[:] = [value_of(scrape(mount), f"secretsfs_{name}", **labels)]
        return last[0] == wanted
    try:
        wait_until(is_there, f"{name} {labels} is {wanted}")
    except AssertionError as error:
        raise AssertionError(f"{error}, but {last}") from error
