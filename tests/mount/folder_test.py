#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A keeper of mounts that come and go, with a test as its worker: one that asks
for what it should not have."""

import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import sys

sys.path.insert(0, sys.path[0] + "/..")

from keeper_test import PR_SET_CHILD_SUBREAPER, Lab, finish, libc
from lib.place import mounts
from lib.process import wait_for_end
from lib.silent_fuse import silent_fuse
from lib.tap import case, check, check_equal, main
from lib.verifying import mount_ids
from lib.wait import wait_until

READY, MOUNT, SERVING, GONE = 1, 3, 4, 5
STATUS = 14
NODES, ADD, REMOVE, REFUSED = 18, 19, 20, 21  # of keeper/message.h
PLAY_PACE = 1000  # of stub_worker.c
MAGIC = 0x73667331
NO_MOUNT = 0xffffffff
MOUNTS_MAX = 64  # of keeper/session.h
_HEAD = struct.Struct("=IIIiI")


class Worker:
    """What the worker says and hears, in the hands of a test."""

    def __init__(self, client):
        self._client = client
        self._fds = []

    def say(self, kind, mount=NO_MOUNT, body=b""):
        self._client.send(_HEAD.pack(MAGIC, kind, mount, 0, len(body)) + body)

    def hear(self, *kinds):
        """The next message of one of these kinds: (kind, mount, body)."""
        while True:
            check(select.select([self._client], [], [], 20)[0],
                  "the keeper is silent")
            data, fds, _, _ = socket.recv_fds(self._client, 4096, 1)
            check(data, "the keeper has gone")
            self._fds += fds
            _, kind, mount, _, length = _HEAD.unpack_from(data)
            if kind in kinds:
                return kind, mount, data[_HEAD.size:_HEAD.size + length]

    def set_pace(self, milliseconds):
        """Reads one message in that time from now on; negative: none."""
        self._client.send(_HEAD.pack(MAGIC, PLAY_PACE, NO_MOUNT, milliseconds,
                                     0))

    def ask(self, name):
        self.say(ADD, body=name + b"\0secretsfs:test")

    def get(self, name):
        """Asks for a mount; its number."""
        self.ask(name)
        kind, mount, body = self.hear(ADD, REFUSED)
        check_equal((kind, body), (ADD, name))
        check_equal(self.hear(MOUNT)[1], mount)
        return mount

    def is_refused(self, name):
        """Why."""
        self.ask(name)
        kind, _, body = self.hear(ADD, REFUSED)
        check_equal(kind, REFUSED, name)
        return body.partition(b"\0")[2].decode()

    def close(self):
        for fd in self._fds:
            os.close(fd)
        self._client.close()


class Scene:
    def __init__(self, lab, listening):
        self.lab = lab
        self.worker = None
        self.point = str(lab.mount_point)
        self.keeper = None
        self._listening = listening

    def follow(self):
        """Ends the worker, if there is one, and plays the next."""
        if self.worker:
            self.worker.close()
        self.worker = Worker(self._listening.accept()[0])

    def log_text(self):
        return (self.lab.root / "log").read_text(encoding="utf-8")

    def points(self):
        return sorted(point[len(self.point) + 1:] for point, _ in mounts()
                      if point.startswith(self.point + "/"))


@contextlib.contextmanager
def scene():
    """A keeper that serves one mount, "good"."""
    lab = Lab()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        path = lab.root / "play"
        listening.bind(str(path))
        path.chmod(0o777)
        listening.listen()
        process = lab.foreground(f"play:{path}", "--folder", "--allow-other",
                                 "--log-file", str(lab.root / "log"))
        here = Scene(lab, listening)
        here.keeper = process.pid
        try:
            listening.settimeout(20)
            here.follow()
            here.worker.ask(b"good")
            here.worker.say(READY)
            check_equal(here.worker.hear(ADD)[2], b"good")
            here.worker.say(SERVING, here.worker.hear(MOUNT)[1])
            wait_until(lambda: here.points() == ["good"], "it is mounted")
            yield here
            process.send_signal(signal.SIGTERM)
            finish(process)
            check_equal(here.points(), [])
            check_equal(os.listdir(here.point), [])
        finally:
            if here.worker:
                here.worker.close()
            if process.poll() is None:
                process.kill()
            process.wait()
            lab.close()


@case
def names_that_lead_elsewhere_are_refused():
    with scene() as here:
        before = sorted(os.listdir(here.lab.root))
        for name in (b"", b".", b"..", b"../x", b"/x", b"x/", b"a/../b",
                     b"a/b/c", b".x", b"x/.y", b"a\nb", b"a b", b"x" * 254,
                     b"\xc3\xa4"):
            check_equal(here.worker.is_refused(name),
                        "it makes no name of a mount", name)
        check_equal(sorted(os.listdir(here.lab.root)), before)
        check_equal(os.listdir(here.point), ["good"])


@case
def symbolic_links_are_not_followed():
    with scene() as here:
        other = here.lab.root / "other"
        other.mkdir()
        link = here.lab.mount_point / "link"
        link.symlink_to(other)
        for name in b"link", b"link/x":
            check("Not a directory" in here.worker.is_refused(name), name)
        check_equal(os.listdir(other), [])
        link.unlink()


@case
def what_is_in_use_is_not_covered():
    with scene() as here:
        used = here.lab.mount_point / "used"
        inner = used / "inner"
        inner.mkdir(parents=True)
        used.chmod(0o300)
        closed = here.lab.mount_point / "closed"
        closed.mkdir()
        (closed / "NOT-MOUNTED").write_text("mine", encoding="utf-8")
        for name in b"used", b"closed":
            check("Directory not empty" in here.worker.is_refused(name), name)
        check_equal(used.stat().st_mode & 0o777, 0o300)
        check_equal(os.listdir(used), ["inner"])
        # what is empty is free, also where others are above it
        here.worker.say(SERVING, here.worker.get(b"used/inner"))
        wait_until(lambda: here.points() == ["good", "used/inner"], "it")
        check(here.worker.is_refused(b"used"), "a space")
        result = here.lab.command("unmount", here.point + "/used/inner")
        check_equal((result.returncode, result.stderr), (0, ""))
        shutil.rmtree(closed)
        shutil.rmtree(used)


@case
def nothing_is_asked_of_a_mount_of_somebody_else():
    with scene() as here:
        point = here.lab.mount_point / "theirs"
        point.mkdir()
        with silent_fuse(point):
            check("something is mounted upon theirs already" in
                  here.worker.is_refused(b"theirs"), "another reason")
        here.worker.say(SERVING, here.worker.get(b"theirs"))
        wait_until(lambda: here.points() == ["good", "theirs"], "it is free")
        result = here.lab.command("unmount", point)
        check_equal((result.returncode, result.stderr), (0, ""))
        point.rmdir()


@case
def nothing_is_made_within_a_mount():
    with scene() as here:
        # nobody answers there: a keeper that looked would hang
        check("a class and a namespace" in
              here.worker.is_refused(b"good/inner"), "another reason")
        check_equal(here.worker.get(b"space/one"), 1)
        check("a class and a namespace" in here.worker.is_refused(b"space"),
              "another reason")


def _check_only_ours_goes(here, end):
    """Of two namespaces, one was there before; end takes all mounts off."""
    (here.lab.mount_point / "theirs").mkdir(exist_ok=True)
    for name in b"theirs/one", b"ours/one", b"ours/two":
        here.worker.say(SERVING, here.worker.get(name))
    wait_until(lambda: len(here.points()) == 4, "all mounts")
    end()
    check_equal(sorted(os.listdir(here.point)), ["theirs"])
    check_equal(os.listdir(here.point + "/theirs"), [])
    os.rmdir(here.point + "/theirs")


@case
def only_directories_that_it_has_made_go_with_mounts():
    with scene() as here:
        def end():
            for name in "theirs/one", "ours/one", "good":
                result = here.lab.command("unmount", f"{here.point}/{name}")
                check_equal((result.returncode, result.stderr), (0, ""))
            check_equal(os.listdir(here.point + "/ours"), ["two"])
            result = here.lab.command("unmount", here.point + "/ours/two")
            check_equal((result.returncode, result.stderr), (0, ""))
        _check_only_ours_goes(here, end)


@case
def so_it_is_at_the_end_of_all():
    with scene() as here:
        def end():
            os.kill(here.keeper, signal.SIGTERM)
            wait_for_end(here.keeper, "the keeper")
        _check_only_ours_goes(here, end)


@case
def and_after_a_keeper_that_was_killed():
    for take_off in ("good", "ours/one", "ours/two", "theirs/one"), ("",):
        with scene() as here:
            def end(points=take_off):
                os.kill(here.keeper, signal.SIGKILL)
                wait_for_end(here.keeper, "the keeper")
                for point in points:
                    result = here.lab.command("unmount",
                                              f"{here.point}/{point}")
                    check_equal(result.returncode, 0, result.stderr)
            _check_only_ours_goes(here, end)


@case
def a_number_is_used_again_when_its_mount_has_gone():
    with scene() as here:
        here.worker.say(REMOVE, 0)
        check_equal(here.worker.hear(REMOVE)[1], 0)
        check_equal(here.points(), [])
        check_equal(here.worker.get(b"second"), 1)
        here.worker.say(GONE, 0)
        check_equal(here.worker.get(b"third"), 0)


@case
def there_are_no_more_than_so_many():
    with scene() as here:
        for number in range(1, MOUNTS_MAX):
            check_equal(here.worker.get(b"m%d" % number), number)
        check("no more can be" in here.worker.is_refused(b"more"),
              "another reason")
        here.worker.say(REMOVE, 5)
        here.worker.hear(REMOVE)
        here.worker.say(GONE, 5)
        check_equal(here.worker.get(b"more"), 5)


@case
def the_next_worker_need_not_serve_what_was_unmounted_meanwhile():
    with scene() as here:
        here.worker.say(SERVING, here.worker.get(b"other"))
        wait_until(lambda: here.points() == ["good", "other"], "both mounts")
        here.follow()
        for name in b"good", b"other":
            here.worker.ask(name)
        here.worker.say(READY)
        check_equal([here.worker.hear(MOUNT)[1] for _ in range(2)], [0, 1])
        here.worker.say(SERVING, 0)
        result = here.lab.command("unmount", here.point + "/other")
        check_equal((result.returncode, result.stderr), (0, ""))
        wait_until(lambda: "serving again" in here.log_text(),
                   "the keeper takes it as serving")
        # which it said before it could have heard
        here.worker.say(SERVING, 1)
        check_equal(here.worker.hear(REMOVE)[1], 1)
        here.worker.say(GONE, 1)
        check_equal(here.worker.get(b"third"), 1)


def _fill(here):
    """With messages for a worker that reads none, until no more go."""
    path = f"/run/secretsfs/{mount_ids(here.point + '/good')[0]}.sock"
    asking = []
    try:
        for _ in range(1000):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            asking.append(client)
            client.settimeout(20)
            client.connect(path)
            client.send(_HEAD.pack(MAGIC, STATUS, NO_MOUNT, 0, 0))
            answered = select.select(asking, [], [], 0.01)[0]
            if answered:
                check(b"takes no messages" in answered[0].recv(4096),
                      "another answer")
                return
        raise AssertionError("the worker takes everything")
    finally:
        for client in asking:
            client.close()


def _serve_all(here, names):
    """The start of the next worker, which gets all mounts that there are."""
    here.follow()
    for name in names:
        here.worker.ask(name)
    here.worker.say(READY)
    for _ in names:
        here.worker.say(SERVING, here.worker.hear(MOUNT)[1])
    wait_until(lambda: here.log_text().count("serving again") == 1,
               "the next one serves")


@case
def a_worker_that_reads_slowly_has_no_more_time_for_many_mounts():
    with scene() as here:
        names = [b"good", *(b"m%d" % number for number in range(12))]
        for name in names[1:]:
            here.worker.say(SERVING, here.worker.get(name))
        wait_until(lambda: len(here.points()) == len(names), "all mounts")
        here.follow()
        here.worker.set_pace(-1)
        for name in names:
            here.worker.ask(name)
        _fill(here)
        # each message comes soon enough by itself, all of them do not
        here.worker.set_pace(1000)
        here.worker.say(READY)
        wait_until(lambda: "does not read what it is handed" in
                   here.log_text(), "the keeper gives it up", 40)
        _serve_all(here, names)
        check_equal(len(here.points()), len(names), "mounts")


@case
def so_has_one_that_wants_more_mounts_and_does_not_read():
    with scene() as here:
        here.worker.set_pace(-1)
        _fill(here)
        for name in b"one", b"two":
            here.worker.ask(name)
        wait_until(lambda: "does not read what it is handed" in
                   here.log_text(), "the keeper gives it up", 40)
        _serve_all(here, [b"good"])
        wait_until(lambda: here.points() == ["good"], "what is wanted is left")


libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
main()
