# SPDX-License-Identifier: Apache-2.0
"""What most mount tests start from: one secret of the fake AWS, mounted."""

import contextlib

from fake_aws import FakeAws
from lib.mounting import mounted_at
from lib.place import work_directory

PASSWORD = b"correct horse"
SECRET = '{"username": "ada", "password": "correct horse", "port": 5432}'


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
