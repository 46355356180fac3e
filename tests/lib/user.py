# SPDX-License-Identifier: Apache-2.0
"""Cases of an ordinary user, who mounts by fusermount3.

The first cases of a program are root's, who prepares what the user meets; from
the first case that asks for it on, the test itself is the user. Where /dev/fuse
is closed to users, another node of it is bound over it, in a mount namespace of
the test's own.
"""

import codecs
import contextlib
import ctypes
import os
import pwd
import shutil
import stat
import subprocess
import tempfile

import lib.place
from lib.place import built, write_file
from lib.process import PATIENCE, environment, run_ok
from lib.tap import case, check_equal, main

USER = pwd.getpwnam("nobody")
FUSERMOUNT = "/usr/bin/fusermount3"
CLONE_NEWNS = 0x20000
_PROGRAMS = ("secretsfs", "secretsfs-keeper", "secretsfs-worker",
             "secretsfs-notifier", "tests/rotation_reader",
             "tests/other_build/secretsfs-worker")


class User:
    """What the user has: a home, a runtime directory, our programs."""

    def __init__(self, directory):
        self.directory = directory
        self.home = os.path.join(directory, "home")
        self.runtime = os.path.join(directory, "runtime")
        self.point = os.path.join(directory, "mnt")
        for path in (self.home, self.runtime, self.point):
            os.mkdir(path, 0o700)
        for name in _PROGRAMS:
            copy = os.path.join(directory, "bin", name)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(built(name), copy)
        lib.place.BUILD = os.path.join(directory, "bin")
        give(directory)

    @property
    def environment(self):
        return {"HOME": self.home, "XDG_RUNTIME_DIR": self.runtime}

    def become(self):
        """For good."""
        if os.geteuid() == USER.pw_uid:
            return
        # what Python loads later may be out of the user's reach
        for name in ("idna", "unicode_escape"):
            codecs.lookup(name)
        os.setgroups([])
        os.setresgid(USER.pw_gid, USER.pw_gid, USER.pw_gid)
        os.setresuid(USER.pw_uid, USER.pw_uid, USER.pw_uid)
        # lib.process passes these on
        os.environ.update(self.environment)

    def left(self):
        """What is in the runtime directory."""
        directory = os.path.join(self.runtime, "secretsfs")
        return os.listdir(directory) if os.path.isdir(directory) else []

    def forget_sockets(self):
        """Those of keepers that were killed."""
        for name in self.left():
            os.unlink(os.path.join(self.runtime, "secretsfs", name))


_user = []


def the_user():
    return _user[0]


def give(directory):
    """To the user, with all that is in it."""
    for path, _, files in os.walk(directory):
        for each in (path, *(os.path.join(path, file) for file in files)):
            os.chown(each, USER.pw_uid, USER.pw_gid)


def as_user(function):
    """What case() and each_way() take, of a function that takes the user."""
    def run_as_user():
        _user[0].become()
        function(_user[0])
        check_equal(_user[0].left(), [], "left in the runtime directory")
    run_as_user.__name__ = function.__name__
    return run_as_user


def user_case(function):
    return case(as_user(function))


def as_said_by_the_user(program, *arguments, **variables):
    """What root's test says that the user says."""
    done = subprocess.run(
        [built(program), *arguments], capture_output=True, check=False,
        env=environment({**_user[0].environment, **variables}), cwd="/",
        user=USER.pw_uid, group=USER.pw_gid, extra_groups=[],
        stdin=subprocess.DEVNULL, timeout=PATIENCE)
    return done.returncode, done.stderr.decode()


def app_file(directory, content):
    """A SOURCE that only its owner may read."""
    return "file:" + write_file(os.path.join(directory, "app.json"), content,
                                0o600)


@contextlib.contextmanager
def bound(source, target):
    run_ok("mount", "--bind", source, target)
    try:
        yield
    finally:
        run_ok("umount", target)


def fuse_node(directory, mode):
    path = os.path.join(directory, f"fuse-{mode:o}")
    os.mknod(path, stat.S_IFCHR | mode, os.stat("/dev/fuse").st_rdev)
    os.chmod(path, mode)
    return path


def _prepare():
    """A mount namespace of our own, and in it a device that users may open."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run_ok("mount", "--make-rprivate", "/")
    run_ok("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    if stat.S_IMODE(os.stat("/dev/fuse").st_mode) & 0o6 != 0o6:
        run_ok("mount", "--bind", fuse_node("/run", 0o666), "/dev/fuse")


def why_no_user():
    """Why nobody can mount as an ordinary user here; None if one can."""
    if os.geteuid() != 0:
        return "becoming an ordinary user needs root"
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if not os.path.exists(FUSERMOUNT):
        return "there is no fusermount3 (package fuse3)"
    return None


@contextlib.contextmanager
def prepared_user():
    """From here on this process has mounts and programs of its own."""
    _prepare()
    directory = os.path.realpath(tempfile.mkdtemp(prefix="secretsfs-user-"))
    os.chmod(directory, 0o755)
    try:
        yield User(directory)
    finally:
        shutil.rmtree(directory)


def user_main():
    """Runs the cases of the program."""
    reason = why_no_user()
    if reason:
        print(f"1..0 # SKIP {reason}", flush=True)
        return
    with prepared_user() as user:
        _user.append(user)
        main()
