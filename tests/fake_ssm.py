# SPDX-License-Identifier: Apache-2.0
"""The parameters of the fake: GetParameters as AWS answers it, up to what it
refuses as a whole."""

import collections
import re
import time

from lib.marked import mark

GET_PARAMETERS = "GetParameters"
NAMES_MAX = 10

Parameter = collections.namedtuple("Parameter", "type value created_s")

_NAME = re.compile(r"[A-Za-z0-9_.\-/]+")


def parameter_arn(name, region, account):
    return f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}"


def check_members(asked):
    """What AWS would not take of a request; None if nothing."""
    if asked.keys() != {"Names", "WithDecryption"}:
        return f"members are {sorted(asked)}"
    names = asked["Names"]
    bare = [split(name)[0] for name in names]
    if not 1 <= len(names) <= NAMES_MAX or len(set(bare)) < len(bare):
        return f"names are {names}"
    if asked["WithDecryption"] is not True:
        return "a SecureString would come as ciphertext"
    return None


def split(wanted):
    """Name or ARN, and the selector behind it or None."""
    start = wanted.rfind("/") + 1 if wanted.startswith("arn:") else 0
    name, colon, selector = wanted[start:].partition(":")
    return wanted[:start] + name, selector if colon else None


class Parameters:
    """Those of one region: by name, the first version is 1."""

    def __init__(self, region, account):
        self._region = region
        self._account = account
        self._versions = {}
        self._labels = {}  # version by (name, label)

    def put(self, name, value, kind="SecureString"):
        assert _NAME.fullmatch(name), name
        mark(value)
        versions = self._versions.setdefault(name, [])
        versions.append(Parameter(kind, value, time.time()))
        return len(versions)

    def label(self, name, label, version):
        self._labels[name, label] = version

    def delete(self, name):
        del self._versions[name]

    def name_of(self, wanted):
        """By the name, also where an ARN was given."""
        name, _ = split(wanted)
        return next((one for one in self._versions
                     if self._arn(one) == name), name)

    def _arn(self, name):
        return parameter_arn(name, self._region, self._account)

    def _find_version(self, name, selector):
        count = len(self._versions.get(name, ()))
        if selector is None:
            return count
        number = int(selector) if selector.isdigit() else \
            self._labels.get((name, selector), 0)
        return number if 1 <= number <= count else 0

    def find(self, wanted):
        """As it stands in a reply; None: there is none."""
        name = self.name_of(wanted)
        selector = split(wanted)[1]
        version = self._find_version(name, selector)
        if not version:
            return None
        found = self._versions[name][version - 1]
        content = {
            "ARN": self._arn(name),
            "Name": name,
            "Type": found.type,
            "Value": found.value,
            "Version": version,
            "LastModifiedDate": round(found.created_s, 3),
            "DataType": "text",
        }
        if selector:
            content["Selector"] = f":{selector}"
        return content

    def answer(self, names):
        found = {name: self.find(name) for name in names}
        return {
            "Parameters": sorted(filter(None, found.values()),
                                 key=lambda one: one["Name"]),
            "InvalidParameters": [name for name in names if not found[name]],
        }
