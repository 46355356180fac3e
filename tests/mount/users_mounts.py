# SPDX-License-Identifier: Apache-2.0
"""What root is told of a mount that an ordinary user has made, who may be
hostile; and what the user is told whose XDG_RUNTIME_DIR has changed."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.place import built, is_mounted, work_directory, write_file
from lib.process import run, run_ok, running, wait_for_end
from lib.reading import read
from lib.scene import PASSWORD, SECRET, write_class
from lib.tap import case, check, check_equal
from lib.user import (USER, app_file, as_said_by_the_user, bound, give,
                      the_user, user_case, user_main)
from lib.verifying import mount_ids
from lib.wait import wait_until

STANDARD = f"/run/user/{USER.pw_uid}"
_IN_STANDARD = {"XDG_RUNTIME_DIR": ""}
MAGIC, NO_MOUNT = 0x73667331, 0xffffffff  # of keeper/message.h
FAILED, DONE, ANSWER = 2, 8, 17


def _as_user(*arguments, **variables):
    return as_said_by_the_user("secretsfs", *arguments, **variables)


def _root(*arguments):
    return run(built("secretsfs"), *arguments)


def _status(point):
    return json.loads(run_ok(built("secretsfs"), "status", "--json",
                             point).out)


def _pids(point):
    return _status(point)["pids"]


def _left_over(point):
    while is_mounted(point):
        run_ok("umount", "-l", point)


@contextlib.contextmanager
def _mounted(*options, point=None, **variables):
    """A mount of the user's, for root; its processes."""
    user = the_user()
    app = app_file(user.home, SECRET)
    give(user.home)
    point = point or user.point
    code, err = _as_user(*options, app, point, **variables)
    check_equal((code, err), (0, ""), "mount")
    pids = _pids(point)
    try:
        yield pids
    finally:
        _as_user("unmount", point, **variables)
        while is_mounted(point):
            run_ok("umount", "-l", point)
        wait_for_end(pids["keeper"], "the keeper")


@contextlib.contextmanager
def _standard_directory():
    """/run/user/UID, as the system makes it."""
    os.makedirs(STANDARD, mode=0o755, exist_ok=True)
    os.chmod(STANDARD, 0o700)
    give(STANDARD)
    try:
        yield os.path.join(STANDARD, "secretsfs")
    finally:
        shutil.rmtree(STANDARD)


def _socket(directory):
    return os.path.join(directory, mount_ids(the_user().point)[0] + ".sock")


def _kill_keeper(pids):
    os.kill(pids["keeper"], signal.SIGKILL)
    for name in ("keeper", "worker"):
        wait_for_end(pids[name], name)


def _check_unknown(result):
    """Root is told whose it is, and nothing that nobody knows."""
    check_equal((result.code, result.out), (1, b""), result)
    check(f"uid {USER.pw_uid} has mounted it" in result.err and
          "ask as that user" in result.err, result)
    check("died" not in result.err, result)


@case
def root_finds_the_keeper_wherever_its_socket_is():
    for variables in ({}, _IN_STANDARD):
        with _standard_directory() as directory, _mounted(**variables) as pids:
            point = the_user().point
            check_equal(os.path.exists(_socket(directory)), bool(variables))
            check_equal(_pids(point), pids)
            check(b"mount " in run_ok(built("secretsfs"), "status",
                                      point).out, "no table")
            check_equal(_root("refresh", point).code, 0)
            result = _root("upgrade", point)
            check_equal((result.code, result.err), (0, ""))
            check(_pids(point)["worker"] != pids["worker"], "no upgrade")
            result = _root("unmount", point)
            check_equal((result.code, result.err), (0, ""))
            check(not is_mounted(point), "still mounted")
            wait_for_end(pids["keeper"], "the keeper")
            check_equal(os.listdir(point), [])
        check_equal(the_user().left(), [])


@case
def root_mounts_on_no_mount_that_serves():
    with _mounted():
        result = _root("file:/etc/passwd", the_user().point)
        check(result.code == 1 and "mounted there already" in result.err,
              result)
        check_equal(len(mount_ids(the_user().point)), 1)


@case
def that_a_keeper_died_is_said_where_it_is_known():
    with _standard_directory(), _mounted(**_IN_STANDARD) as pids:
        _kill_keeper(pids)
        for command in "status", "refresh", "upgrade":
            result = _root(command, the_user().point)
            check(result.code == 1 and "its keeper has died" in result.err,
                  result)
        result = _root("unmount", the_user().point)
        check(result.code == 0 and "its keeper was gone" in result.err,
              result)
        check(not is_mounted(the_user().point), "still mounted")


@case
def and_nowhere_else():
    with _mounted() as pids:
        _kill_keeper(pids)
        for command in "status", "refresh", "upgrade":
            _check_unknown(_root(command, the_user().point))
        the_user().forget_sockets()
    with _mounted() as pids:
        the_user().forget_sockets()
        for command in "status", "refresh", "upgrade":
            _check_unknown(_root(command, the_user().point))
        result = _root("unmount", the_user().point)
        check(result.code == 0 and "was not found" in result.err and
              f"uid {USER.pw_uid}" in result.err, result)
        check(not is_mounted(the_user().point), "still mounted")
        wait_for_end(pids["keeper"], "the keeper, which notices")
        check_equal(os.listdir(the_user().point), [])


@case
def nobody_leads_root_elsewhere():
    with _standard_directory() as directory, _mounted(**_IN_STANDARD):
        point = the_user().point
        check_equal(_root("status", point).code, 0)
        os.rename(directory, directory + ".moved")
        os.symlink(directory + ".moved", directory)
        _check_unknown(_root("status", point))
        os.unlink(directory)
        os.rename(directory + ".moved", directory)
        check_equal(_root("status", point).code, 0)
        path = _socket(directory)
        os.rename(path, path + ".moved")
        os.symlink(path + ".moved", path)
        _check_unknown(_root("status", point))
        os.unlink(path)
        # where others may write, it is no directory of the user's alone
        os.rename(path + ".moved", path)
        os.chmod(directory, 0o777)
        _check_unknown(_root("status", point))
        os.chmod(directory, 0o700)
        check_equal(_root("status", point).code, 0)


class _Hanging:
    """A file whose server answers that it may be opened once, and then nothing
    any more; close(2) asks it again. Whoever has it open waits at its end."""

    def __init__(self, path):
        self.path = write_file(path, "")
        ready, done = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._serve(done)
            finally:
                os._exit(1)
        os.close(done)
        check_equal(os.read(ready, 1), b"x", "it is mounted")
        os.close(ready)

    def _serve(self, done):
        device = os.open("/dev/fuse", os.O_RDWR)
        subprocess.run(["mount", "-i", "-t", "fuse", "-o",
                        f"fd={device},rootmode={stat.S_IFREG | 0o444:o},"
                        "user_id=0,group_id=0,allow_other", "hanging", self.path],
                       pass_fds=[device], check=True)
        init, = struct.unpack_from("=Q", os.read(device, 1 << 17), 8)
        os.write(device, struct.pack("=IiQ4I2H2I2H8I", 80, 0, init, 7, 31,
                                     0, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8))
        os.write(done, b"x")
        opened, = struct.unpack_from("=Q", os.read(device, 1 << 17), 8)
        os.write(device, struct.pack("=IiQ2Q", 32, 0, opened, 0, 0))
        signal.pause()

    def end(self):
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0
        run_ok("umount", "-l", self.path)


class _Played:
    """Who listens in the keeper's place: a process with that uid, which does
    with each client what play does."""

    def __init__(self, path, uid, play, backlog=8):
        ready, done = os.pipe()
        self._told, telling = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._listen(path, uid, backlog)
                os.write(done, b"x")
                while True:
                    play(self, telling)
            finally:
                os._exit(1)
        os.close(done)
        os.close(telling)
        check_equal(os.read(ready, 1), b"x", "who plays listens")
        os.close(ready)

    def _listen(self, path, uid, backlog):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(path)
        os.chown(path, USER.pw_uid, USER.pw_gid)
        # whose it is, the kernel notes when it listens
        os.setgroups([])
        os.setresuid(uid, uid, uid)
        self.server.listen(backlog)

    def end(self):
        """What it has told."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        told = os.read(self._told, 4096)
        os.close(self._told)
        return told


@contextlib.contextmanager
def _played(play, uid=USER.pw_uid, backlog=8):
    """In the place of the keeper of a mount of the user's, whose point this
    is."""
    with _standard_directory() as directory, \
            _mounted(**_IN_STANDARD) as pids:
        path = _socket(directory)
        os.rename(path, path + ".moved")
        played = _Played(path, uid, play, backlog)
        try:
            yield the_user().point
        finally:
            told = played.end()
            os.rename(path + ".moved", path)
        check_equal(_pids(the_user().point), pids)
        check_equal(told, b"", "was told to someone else")


def _message(kind, body=b""):
    return struct.pack("=IIIiI", MAGIC, kind, NO_MOUNT, 0, len(body)) + body


def _tell(played, telling):
    client = played.server.accept()[0]
    os.write(telling, client.recv(4096))


def _answer(*messages):
    def play(played, _telling):
        client = played.server.accept()[0]
        client.recv(4096)
        for message in messages:
            client.send(message)
    return play


def _sleep(_played, _telling):
    signal.pause()


@case
def root_says_nothing_to_another_user():
    other = pwd.getpwnam("daemon").pw_uid
    for uid in other, 0:
        with _played(_tell, uid=uid) as point:
            for command in "status", "refresh", "upgrade":
                _check_unknown(_root(command, point))


@case
def root_waits_for_nobody_for_long():
    def take(played, _telling):
        kept.append(played.server.accept())
    kept = []
    for play, words in ((take, "does not answer in time"),
                        (_answer(), "without an answer"),
                        (_answer(b"x"), "without an answer"),
                        (_answer(_message(ANSWER, b"{}")),
                         "without an answer")):
        with _played(play) as point:
            result = _root("status", point)
            check(result.code == 1 and words in result.err, result)
    with _played(_sleep, backlog=0) as point:
        # one finds a place in the queue, and the next one waits for it
        with running(built("secretsfs"), "status", point):
            result = _root("status", point)
            check(result.code == 1 and "died" not in result.err, result)


@case
def no_answer_drives_roots_terminal():
    with _played(_answer(_message(FAILED, b"no\33[2J\a\177"))) as point:
        result = _root("status", point)
        check(result.code == 1 and "no?[2J??" in result.err, result)
    with _played(_answer(_message(ANSWER, b'{"a":"\33[2J\177"}'),
                         _message(DONE))) as point:
        result = _root("status", "--json", point)
        check_equal((result.code, result.out), (0, b'{"a":"?[2J?"}\n'))


def _check_not_held(server, command, point):
    """The server's end lets go of whoever waits for it."""
    end = threading.Timer(30, os.kill, (server.pid, signal.SIGKILL))
    end.start()
    try:
        result = _root(command, point)
        check(end.is_alive(), f"{command} waited for the server")
    finally:
        end.cancel()
    check(result.code == 1 and "without an answer" in result.err, result)


@case
def no_file_of_the_users_holds_root_up():
    """One that comes with an answer."""
    def play(played, _telling):
        client = played.server.accept()[0]
        client.recv(4096)
        if not opened:
            opened.append(os.open(server.path, os.O_RDONLY))
        socket.send_fds(client, [_message(DONE)], opened)
    opened = []
    with work_directory() as directory:
        server = _Hanging(os.path.join(directory, "hanging"))
        try:
            with _played(play) as point:
                try:
                    for command in "status", "refresh", "unmount":
                        _check_not_held(server, command, point)
                finally:
                    # before who plays: it has the file too
                    server.end()
        finally:
            server.end()


@case
def root_sees_through_an_unmount_that_is_none():
    with _played(_answer(_message(DONE))) as point:
        result = _root("unmount", point)
        check(result.code == 1 and "and it is not" in result.err, result)


@case
def no_mount_of_the_users_holds_root_up():
    """One that stands where sockets should be, and does not answer."""
    conf = write_file("/run/open.conf", "user_allow_other\n")
    with _standard_directory() as directory, \
            bound(conf, "/etc/fuse.conf"), _mounted(**_IN_STANDARD), \
            _mounted("-o", "allow_other", "--heartbeat", "1h",
                     point=directory) as pids:
        os.kill(pids["worker"], signal.SIGSTOP)
        try:
            _check_unknown(_root("status", the_user().point))
            # nor one that root itself names
            result = _root("status", directory)
            check(result.code == 1 and "in time" in result.err, result)
        finally:
            os.kill(pids["worker"], signal.SIGCONT)


@case
def a_directory_of_classes_is_found_too():
    user = the_user()
    with work_directory() as directory:
        classes = os.path.join(directory, "classes")
        os.mkdir(classes)
        write_class(classes, "app")
        check_equal(_as_user("--offline", directory, classes, user.point),
                    (0, ""))
        keeper = _pids(user.point)["keeper"]
        mount = os.path.join(user.point, "class")
        try:
            wait_until(lambda: is_mounted(mount), "a mount")
            check_equal(_pids(mount)["keeper"], keeper)
            result = _root("unmount", user.point)
            check_equal((result.code, result.err), (0, ""))
        finally:
            _as_user("unmount", user.point)
        wait_for_end(keeper, "the keeper")
        check_equal((is_mounted(mount), os.listdir(user.point)), (False, []))


@case
def no_keeper_of_the_users_keeps_roots_from_its_start():
    point = os.path.join(the_user().home, "classes")
    os.mkdir(point)
    give(point)
    about = os.stat(point)
    name = f"directory-{about.st_dev:x}-{about.st_ino}.sock"
    with _standard_directory() as directory, work_directory() as apart:
        os.mkdir(directory, mode=0o700)
        give(directory)
        attach = os.path.join(apart, "attach.sock")
        played = _Played(os.path.join(directory, name), USER.pw_uid, _sleep)
        try:
            for options in (), ("--succeed",):
                with running(built("secretsfs-keeper"), "--folder",
                             "--mount-point", point, "--worker-uid", "65534",
                             "--worker-gid", "65534", "--foreground",
                             "--attach-socket", attach, "--await-worker",
                             *options) as keeper:
                    wait_until(lambda: os.path.exists(attach), "it starts", 30)
                    keeper.terminate()
                    check_equal(keeper.wait(20), 0, "its end")
        finally:
            check_equal(played.end(), b"", "what it was told")
    os.rmdir(point)


@user_case
def the_user_finds_it_with_another_runtime_directory(user):
    with work_directory() as directory, \
            mounted_at(directory, app_file(directory, SECRET)) as found:
        other = {"XDG_RUNTIME_DIR": directory}
        result = run(built("secretsfs"), "status", found.point, env=other)
        check_equal((result.code, result.err), (0, ""))
        # nor is what serves taken for dead, and replaced
        result = run(built("secretsfs"), app_file(directory, SECRET),
                     found.point, env=other)
        check(result.code == 1 and "mounted there already" in result.err,
              result)
        check_equal(read(found.path("password")), PASSWORD)
        check(user.left() != [], "it is elsewhere")
        result = run(built("secretsfs"), "unmount", found.point, env=other)
        check_equal((result.code, result.err), (0, ""))


user_main()
