# SPDX-License-Identifier: Apache-2.0
"""A node of a cluster: directories as kubelet lays them out, and on them the
containers of the DaemonSets, with what their pods say of them, and those who
read.

    with node() as here:
        here.put_class("kontox-secrets", "Kontox-secret")
        here.start_keeper()
        here.start_worker()
        consumer = here.start_consumer("app")
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))

from fake_aws import FakeAws
from lib.class_text import class_text, object_text
from lib.place import SOURCE, mounts, work_directory, write_file
from lib.podman import DEBIAN, IMAGE, podman, why_not
from lib.process import run_ok
from lib.tap import Skip, check_equal
from lib.wait import wait_until

# What a keeper says when a worker serves.
SERVING = " worker_pid="

CLASS = "kontox-secrets"
SECRET = "Kontox-secret"
VALUE = '{"username": "kontox", "password": "correct horse", "port": 5432}'
PASSWORD = b"correct horse"

# Nobody else's than the worker's, and somebody's who reads.
WORKER = 10473
READER = "1234:1234"

VOLUME = "/mnt/secrets-store"
FILE = f"{VOLUME}/password"

# Where AWS is found by name, too.
AWS_NAME = "aws.secretsfs.test"

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_CLASSES = "/etc/secretsfs/classes"
_TOKEN = "/var/run/secrets/eks.amazonaws.com/serviceaccount"

_READ = f"trap 'exit 0' TERM; while :; do cat {FILE}; sleep 0.05; done"

_KEEPER = ("secretsfs-keeper", "--folder", "--mount-point", "/secrets",
           "--worker-uid", str(WORKER), "--worker-gid", str(WORKER),
           "--allow-other", "--foreground", "--log-level", "debug",
           "--attach-socket", "/run/attach/attach.sock", "--await-worker")
_WORKER = ("secretsfs-worker", "--attach", "/run/attach/attach.sock",
           "--owner", "0:0", "--mode", "0444", "--dir-mode", "0555",
           "--log-level", "debug")


class ConfigMap:
    """A directory of files as kubelet projects it: what is seen of them leads
    through ..data, which is replaced as a whole. With a group, as fsGroup has
    it: others may not read them."""

    def __init__(self, directory, group=None):
        self.directory = directory
        self._group = group
        self._files = {}
        self._number = 0
        os.makedirs(directory)

    def put(self, **changes):
        """Files by their names without .yaml; None removes one."""
        self._files.update(changes)
        files = {name: text for name, text in self._files.items() if text}
        self._number += 1
        version = os.path.join(self.directory, f"..2026_{self._number}")
        os.mkdir(version)
        for name, text in files.items():
            path = write_file(os.path.join(version, name), text)
            if self._group:
                os.chown(path, 0, self._group)
                os.chmod(path, 0o640)
        data = os.path.join(self.directory, "..data")
        before = os.path.realpath(data)
        os.symlink(os.path.basename(version), data + "_tmp")
        os.rename(data + "_tmp", data)
        for name in self._files:
            path = os.path.join(self.directory, name)
            if name in files and not os.path.lexists(path):
                os.symlink(os.path.join("..data", name), path)
            if name not in files and os.path.lexists(path):
                os.unlink(path)
        if before != data:
            run_ok("rm", "-r", before)


class Node:
    def __init__(self, directory, aws, containers):
        self.aws = aws
        self.podman = containers
        self.directory = directory
        self.host = os.path.join(directory, "host")
        self.mounts = self._below("mounts")
        self._started = 0
        os.mkdir(self.host)
        run_ok("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.host)
        run_ok("mount", "--make-private", self.host)
        run_ok("mount", "--make-shared", self.host)
        for name in "mounts", "keeper", "attach":
            os.mkdir(self._below(name))
        self._classes = ConfigMap(self._below("classes"))
        self._token = ConfigMap(self._below("token"), WORKER)
        self._token.put(token="header.payload.signature")
        aws.put(SECRET, VALUE)

    def _below(self, *names):
        return os.path.join(self.host, *names)

    def point(self, name=CLASS):
        """Where a class is mounted on the host."""
        return os.path.join(self.mounts, name)

    def put_class(self, name=CLASS, *secrets):
        text = class_text(*map(object_text, secrets or (SECRET,)), name=name)
        self._classes.put(**{f"{name}.yaml": text})

    def drop_class(self, name=CLASS):
        self._classes.put(**{f"{name}.yaml": None})

    def _name(self, kind):
        self._started += 1
        return f"{kind}{self._started}"

    def start_keeper(self, *options, image=IMAGE):
        return self.podman.start(
            self._name("keeper"), "--privileged", "--read-only",
            "--network", "none",
            "-v", f"{self.mounts}:/secrets:rshared",
            "-v", f"{self._below('keeper')}:/run/secretsfs",
            "-v", f"{self._below('attach')}:/run/attach",
            image=image, arguments=(*_KEEPER, *options))

    def environment(self):
        """Of a worker that has the role of its pod."""
        return self.aws.role_environment(f"{_TOKEN}/token")

    def start_worker(self, *options, image=IMAGE, environment=None):
        """With the network of the host, where AWS is, and what trusts that as
        the certificates of the image."""
        environment = environment or self.environment()
        ca = self.aws.authority.ca
        return self.podman.start(
            self._name("worker"), "--user", f"{WORKER}:{WORKER}",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--read-only", "--network", "host",
            "-v", f"{self._below('attach')}:/run/attach:ro",
            "-v", f"{self._classes.directory}:{_CLASSES}:ro",
            "-v", f"{self._token.directory}:{_TOKEN}:ro",
            "-v", f"{ca}:{ca}:ro", "-v", f"{ca}:{_CERTIFICATES}:ro",
            "--add-host", f"{AWS_NAME}:{self.aws.host}",
            *(word for name, value in environment.items()
              for word in ("-e", f"{name}={value}")),
            image=image, arguments=(*_WORKER, *options, _CLASSES, "/secrets"))

    def start(self, *options):
        """Keeper and worker, which serve all classes when this returns; the
        keeper has said so."""
        keeper, worker = self.start_keeper(*options), self.start_worker()
        self.wait_for_mount()
        wait_until(lambda: SERVING in keeper.log(), "the worker serves", 60)
        return keeper, worker

    def wait_for_mount(self, name=CLASS):
        wait_until(lambda: (self.point(name), "fuse.secretsfs") in mounts(),
                   f"{name} is mounted", 60)

    def is_mounted(self, name=CLASS):
        return any(point == self.point(name) for point, _ in mounts())

    def consumer_options(self, source=None, propagation="rslave"):
        """Of a pod of somebody's, with a hostPath."""
        return ("--user", READER, "--cap-drop", "ALL", "--read-only",
                "--security-opt", "no-new-privileges", "--network", "none",
                "-v", f"{source or self.point()}:{VOLUME}:ro,{propagation}")

    def start_consumer(self, *arguments, **volume):
        return self.podman.start(
            self._name("consumer"), *self.consumer_options(**volume),
            image=DEBIAN, arguments=arguments or ("sleep", "1000"))

    def start_reader(self, **volume):
        """One that reads all the time, with errors or without, until it is told
        to end; has read when this returns."""
        reader = self.start_consumer("sh", "-c", _READ, **volume)
        wait_until(lambda: PASSWORD.decode() in reader.log(), "it reads", 30)
        return reader

    def verifier(self):
        """The command of lib/verifier.py in a container of somebody's."""
        path = os.path.join(SOURCE, "tests", "lib", "verifier.py")
        return self.podman.run_command(
            *self.consumer_options(), "-v", f"{path}:/verifier.py:ro",
            image=DEBIAN, arguments=("python3", "/verifier.py"))

    def check_nothing_is_left(self):
        """No mount, no mark, no directory."""
        check_equal([point for point, _ in mounts()
                     if point.startswith(self.host + "/")], [], "mounts")
        check_equal(os.listdir(self.mounts), [], "directories")

    def sockets(self):
        """Those of keepers, of killed ones too."""
        return [name for directory in ("keeper", "attach")
                for name in os.listdir(self._below(directory))]

    def close(self):
        self.podman.close()
        for point, _ in reversed(mounts()):
            if point.startswith(self.host + "/"):
                run_ok("umount", "-l", point)
        run_ok("umount", self.host)


@contextlib.contextmanager
def node():
    if why_not():
        raise Skip(why_not())
    with work_directory() as directory, FakeAws(directory) as aws, \
            podman(directory) as containers:
        here = Node(directory, aws, containers)
        try:
            try:
                yield here
                containers.check_logs()
            except BaseException:
                containers.show_logs()
                raise
        finally:
            here.close()
