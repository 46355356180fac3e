# SPDX-License-Identifier: Apache-2.0
"""Real containers, by podman, in directories of the test's own.

Images come from the store of SECRETSFS_IMAGES, which nobody writes to here;
contrib/lib.sh makes it. So that nothing of podman's is left on the machine, a
test has a mount table and a /run of its own: tests/alone.
"""

import contextlib
import json
import os
import shutil
import subprocess

from lib.marked import found_in
from lib.place import mounts
from lib.process import environment, run, run_ok
from lib.tap import check
from lib.wait import wait_until

# What contrib/Containerfile makes, and what it is made in, with shell and
# Python.
IMAGE = "localhost/secretsfs"
DEBIAN = "localhost/secretsfs-packages"

# Root may be without the right to raise its limits, as podman would.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")

_STORE = os.environ.get("SECRETSFS_IMAGES")

# How long an end may take before podman kills.
GRACE_S = 30


def why_not():
    """Why there are no containers here; None if there are."""
    if not _STORE or not os.path.isdir(_STORE):
        return "SECRETSFS_IMAGES names no images: contrib/check makes them"
    if not shutil.which("podman"):
        return "podman is not installed"
    if "SECRETSFS_ALONE" not in os.environ:
        return "a container needs a mount table of the test's own"
    return None


def _text(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8") as file:
        return file.read()


class Container:
    """One that was started; what podman knows of it."""

    def __init__(self, podman, name, identity, is_ours):
        self.name = name
        self._podman = podman
        self._is_ours = is_ours
        self._id = identity
        self.pid = self._inspect("State.Pid")

    def _inspect(self, field):
        return json.loads(self._podman(
            "inspect", "--format", "{{json ." + field + "}}", self.name).out)

    def image(self):
        """Its name, without a tag."""
        return self._inspect("ImageName").rsplit(":", 1)[0]

    def is_running(self):
        return self._inspect("State.Running")

    def processes(self):
        """The states of its processes, by their pids; zombies are none."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if self._id in _text(pid, "cgroup"):
                    found[int(pid)] = _text(pid, "stat").rsplit(")", 1)[1][1]
        return {pid: state for pid, state in found.items() if state != "Z"}

    def path(self, *names):
        """A path of the container, as it has it."""
        return os.path.join(f"/proc/{self.pid}/root", *names)

    def log(self):
        done = self._podman("logs", self.name)
        return done.out.decode() + done.err

    def check_log(self):
        """Nothing secret, unless it is of somebody who reads."""
        shown = found_in(self.log()) if self._is_ours else []
        check(not shown, "the log of", self.name, "shows", shown)

    def exec(self, *arguments):
        """Runs a program of the image; what it writes."""
        return self._podman("exec", self.name, *arguments).out.decode()

    def signal(self, name):
        self._podman("kill", "-s", name, self.name)

    def kill(self):
        """By SIGKILL, what is left of it is removed."""
        self.signal("KILL")
        self.wait()
        self.remove()

    def stop(self):
        """By SIGTERM, with GRACE_S; the code that it ended with, which is 137
        if that was too short."""
        self._podman("stop", "-t", str(GRACE_S), self.name,
                     seconds=3 * GRACE_S)
        return self.wait()

    def wait(self):
        """Until it has ended: the code of that."""
        code = int(self._podman("wait", self.name).out)
        wait_until(lambda: not self.processes(),
                   f"no process is left of {self.name}")
        return code

    def remove(self):
        self.check_log()
        self._podman.forget(self)
        self._podman("rm", "-f", "-t", "0", self.name)


class Podman:
    """Its directories, and the containers that were started."""

    def __init__(self, directory):
        self._directory = directory
        self._started = []
        self._options = (
            *(word for name in ("root", "runroot", "tmpdir")
              for word in (f"--{name}", os.path.join(directory, name))),
            "--storage-driver", "overlay",
            "--storage-opt", f"overlay.imagestore={_STORE}/store",
            "--runtime", "runc", "--cgroup-manager", "cgroupfs",
            "--events-backend", "file")

    def command(self, *arguments):
        return ("podman", *self._options, *arguments)

    def __call__(self, *arguments, **keywords):
        return run_ok(*self.command(*arguments), **keywords)

    def run_command(self, *options, image, arguments):
        """What runs a program in a container as long as it lasts."""
        return self.command("run", "--rm", "-i", *_LIMITS, *options, image,
                            *arguments)

    def run(self, *options, image=IMAGE, arguments):
        """Runs a program in a container to its end; what it writes."""
        return run_ok(*self.run_command(*options, image=image,
                                        arguments=arguments)).out.decode()

    def start(self, name, *options, image=IMAGE, arguments):
        identity = self("run", "-d", "--name", name, *_LIMITS, *options, image,
                        *arguments).out.decode().strip()
        self._started.append(Container(self, name, identity, image != DEBIAN))
        return self._started[-1]

    def forget(self, container):
        self._started.remove(container)

    def check_logs(self):
        for container in self._started:
            container.check_log()

    def show_logs(self):
        """For whoever reads why a test failed."""
        for name in self("ps", "-a", "--format", "{{.Names}}").out.split():
            done = subprocess.run(
                self.command("logs", "--tail", "40", name.decode()),
                env=environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            for line in done.stdout.decode(errors="replace").splitlines():
                print(f"# {name.decode()}: {line}", flush=True)

    def close(self):
        # one that ends just then is an error, but not the next time
        wait_until(lambda: run(*self.command("rm", "-f", "-t", "0", "-a"))
                   .code == 0, "all containers are removed", 60)
        # each container's monitor has podman tidy up after it
        wait_until(lambda: not any(map(self._is_ours, os.listdir("/proc"))),
                   "podman's processes have ended", 60)
        self._unmount()

    def _is_ours(self, pid):
        with contextlib.suppress(OSError), \
                open(f"/proc/{pid}/cmdline", "rb") as words:
            return f"{self._directory}/".encode() in words.read()
        return False

    def _unmount(self):
        """The store is a mount from its first use on."""
        for point, _ in reversed(mounts()):
            if point.startswith(self._directory + "/"):
                run_ok("umount", "-l", point)


@contextlib.contextmanager
def podman(directory):
    """For the time of a with block; its containers are gone then."""
    found = Podman(os.path.join(directory, "podman"))
    try:
        yield found
    finally:
        found.close()
