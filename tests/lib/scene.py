# SPDX-License-Identifier: Apache-2.0
"""What most mount tests start from: one secret of the fake AWS, mounted."""

import contextlib
import json
import os

from fake_aws import FakeAws
from lib.class_text import class_text
from lib.mounting import mounted_at
from lib.place import work_directory, write_file

PASSWORD = b"correct horse"
SECRET = '{"username": "ada", "password": "correct horse", "port": 5432}'

# The same keys with values that no id, no time and no name of a directory has
# in it by chance, to be looked for where no value may be.
DISTINCT = {"username": "ada lovelace", "password": "correct horse",
            "port": 98765432109876543210}
DISTINCT_SECRET = json.dumps(DISTINCT)
DISTINCT_TEXTS = tuple(map(str, DISTINCT.values()))


class Scene:
    def __init__(self, directory, aws, mount):
        self.directory = directory
        self.aws = aws
        self.mount = mount

    def path(self, *names):
        return self.mount.path(*names)


@contextlib.contextmanager
def aws_directory():
    """A work directory and a fake AWS that knows one secret, "app"."""
    with work_directory() as directory, FakeAws(directory) as aws:
        aws.put("app", SECRET)
        yield directory, aws


@contextlib.contextmanager
def aws_mount(*options, value=SECRET):
    with aws_directory() as (directory, aws):
        aws.put("app", value)
        with mounted_at(directory, "app", *options,
                        env=aws.environment()) as mount:
            yield Scene(directory, aws, mount)


class ClassScene:
    """A fake AWS, and classes that show what it has."""

    def __init__(self, directory, aws):
        self.directory = directory
        self.aws = aws

    @contextlib.contextmanager
    def mounted(self, *objects, options=(), parameters=()):
        path = write_file(os.path.join(self.directory, "c.yaml"),
                          class_text(*objects, parameters=parameters))
        with mounted_at(self.directory, path, *options,
                        env=self.aws.environment()) as mount:
            yield mount


_CLASS = """apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: class
spec:
  provider: aws
  parameters:
    objects: |
"""
_OBJECT = """      - objectName: {0}
        objectType: secretsmanager
        jmesPath: []
"""


def write_class(directory, *names):
    """A class that shows each of these secrets as one file and no keys."""
    return write_file(os.path.join(directory, "class.yaml"),
                      _CLASS + "".join(map(_OBJECT.format, names)))


@contextlib.contextmanager
def class_mount(names, *options):
    """A class of secrets that the fake AWS knows: the value of each is its
    name."""
    with work_directory() as directory, FakeAws(directory) as aws:
        for name in names:
            aws.put(name, name)
        with mounted_at(directory, write_class(directory, *names), *options,
                        env=aws.environment()) as mount:
            yield Scene(directory, aws, mount)
