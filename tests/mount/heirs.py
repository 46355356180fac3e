# SPDX-License-Identifier: Apache-2.0
"""Keepers that start no workers and leave their mounts to each other: those of
one mount and those of a directory of classes, as on a kernel that sends requests
again, and as on one that does not."""

import contextlib
import os
import re
import signal
import socket
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from lib.attaching import APART, MARK, FolderLab, Lab, LabApart, attaching
from lib.place import built
from lib.process import run_ok
from lib.reading import read
from lib.status import status
from lib.tap import check, check_equal, main
from lib.verifying import verified
from lib.wait import wait_until
from lib.ways import each_way as case

KINDS = Lab, FolderLab


def _socket(lab):
    if not lab.kind:
        (line,) = lab.table()
        return f"/run/secretsfs/{line.split()[0]}.sock"
    about = os.stat(lab.mount.point)
    return f"/run/secretsfs/directory-{about.st_dev:x}-{about.st_ino}.sock"


def _mounts_sockets():
    return [name for name in os.listdir("/run/secretsfs")
            if re.fullmatch(r"\d+\.sock", name)]


def _follow(lab, *options):
    """Another keeper has all that the last one had, and awaits a worker."""
    before = lab.count("has the mounts, and awaits a worker")
    heir = lab.start_keeper("--take-over", _socket(lab), *options)
    lab.wait_for("has the mounts, and awaits a worker", before + 1)
    return heir


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as pids:
        return pids.read()


def _each_kind(function, **keywords):
    for kind in KINDS:
        with attaching(kind, **keywords) as lab:
            function(lab)


def _check_order(lab, table):
    """All is as it was, and what is there still works."""
    check_equal(lab.table(), table, "mounts")
    check_equal(read(lab.path()), MARK)
    point = lab.mount.path(*lab.names)
    check_equal(status(point)["mount"]["mountPoint"], point)
    if lab.kind:
        lab.put("second")
        lab.wait_for_mounts("first", "second")
        check_equal(read(lab.mount.path("second", "mark")), MARK)
        lab.drop("second")
        lab.wait_for_mounts("first")


@case
def no_reader_sees_that_keepers_follow_each_other():
    def follow(lab):
        lab.attach()
        table = lab.table()
        with verified("WARM", "COLD", "COLD", wanted={lab.path(): MARK}):
            for _ in range(3):
                before = lab.keepers[-1]
                _follow(lab)
                check_equal(lab.workers[-1].wait(), 0, "it was told to leave")
                check_equal(before.poll(), None, "it holds all until then")
                lab.attach()
                check_equal(before.wait(20), 0, "the keeper before")
        _check_order(lab, table)
        check_equal(lab.count("has taken over"), 3)
    _each_kind(follow)


@case
def the_keeper_before_goes_on_if_the_next_one_ends_without_a_worker():
    def fail(lab):
        lab.attach()
        table = lab.table()
        with verified("COLD", wanted={lab.path(): MARK}):
            for number in (signal.SIGKILL, signal.SIGTERM):
                heir = _follow(lab)
                lab.workers[-1].wait()
                heir.send_signal(number)
                heir.wait(20)
                lab.wait_for("the other keeper does not, going on",
                             len(lab.workers))
                lab.attach()
        check_equal(lab.keeper.poll(), None, "the first keeper")
        _check_order(lab, table)
        check_equal(lab.keepers.index(lab.keeper), 0)
        lab.keepers[1:] = []
    _each_kind(fail)


@case
def a_keeper_that_has_left_its_mounts_may_end_before_there_is_a_worker():
    def end(lab):
        for number in (signal.SIGTERM, signal.SIGKILL):
            lab.attach()
            table = lab.table()
            with verified("COLD", wanted={lab.path(): MARK}):
                before = lab.keepers[-1]
                _follow(lab)
                lab.workers[-1].wait()
                before.send_signal(number)
                before.wait(20)
                lab.wait_for("took over from another keeper",
                             len(lab.keepers) - 1)
                lab.attach()
            _check_order(lab, table)
    _each_kind(end)


@case
def a_worker_that_does_not_leave_is_fenced_off():
    def fence(lab):
        stopped = lab.attach()
        table = lab.table()
        with verified("COLD", wanted={lab.path(): MARK}):
            stopped.process.send_signal(signal.SIGSTOP)
            _follow(lab)
            lab.attach()
            stopped.process.send_signal(signal.SIGCONT)
            check_equal(stopped.wait(), 0, "it leaves")
            # what it had read by then is sent again by who has the mounts now
            lab.wait_for("was fenced off is gone")
        _check_order(lab, table)
        check(lab.count("is fenced off"), "no line says so")
    _each_kind(fence, prefix=("unshare", "--pid", "--fork"))


@case
def what_nobody_serves_is_unmounted_all_the_same():
    def unmount(lab):
        lab.attach()
        _follow(lab)
        run_ok(built("secretsfs"), "unmount", lab.mount.point)
        for keeper in lab.keepers:
            check_equal(keeper.wait(20), 0, "a keeper's end")
        check_equal((lab.points(), os.listdir(lab.mount.point)), ([], []))
    _each_kind(unmount)


@case
def what_somebody_took_off_its_place_is_no_hindrance():
    with attaching(FolderLab) as lab:
        lab.put("second")
        lab.attach()
        lab.wait_for_mounts("first", "second")
        held = os.path.join(lab.directory, "held")
        os.mkdir(held)
        run_ok("mount", "--bind", lab.mount.path("second"), held)
        try:
            run_ok("umount", "-l", lab.mount.path("second"))
            with verified("COLD", wanted={lab.path(): MARK}):
                _follow(lab)
                lab.attach()
            lab.wait_for_mounts("first", "second")
            check_equal(read(lab.mount.path("second", "mark")), MARK)
        finally:
            run_ok("umount", "-l", held)
        lab.drop("second")
        lab.wait_for_mounts("first")
        check_equal(lab.keeper.wait(20), 0, "the keeper before")


@case
def a_keeper_without_mounts_is_followed_too():
    with attaching(FolderLab) as lab:
        _follow(lab)
        lab.keeper.terminate()
        check_equal(lab.keeper.wait(20), 0, "the keeper before")
        lab.attach()
        _check_order(lab, lab.table())


@case
def a_third_keeper_follows_one_that_still_awaits_a_worker():
    def follow(lab):
        lab.attach()
        table = lab.table()
        with verified("COLD", wanted={lab.path(): MARK}):
            _follow(lab)
            _follow(lab)
            check_equal(lab.keeper.wait(20), 0, "the first keeper")
            lab.attach()
            check_equal(lab.keepers[1].wait(20), 0, "the second keeper")
        _check_order(lab, table)
    _each_kind(follow)


@case
def what_is_another_mount_is_not_taken_over():
    with attaching() as one, attaching(FolderLab) as other:
        for lab in one, other:
            lab.attach()
        for lab, path, why in ((one, _socket(other), "a directory of"),
                               (other, _socket(one), "no directory of")):
            before = len(lab.keepers)
            keeper = lab.start_keeper("--take-over", path)
            check(keeper.wait(20) != 0, "it went on")
            check(lab.count(why), f"no line says {why}")
            lab.keepers[before:] = []
            check_equal(read(lab.path()), MARK)


def _succeed(lab, *options):
    """A keeper that finds by itself whom it follows; it awaits a worker."""
    before = lab.count("has the mounts, and awaits a worker")
    heir = lab.start_keeper("--succeed", *options)
    lab.wait_for("has the mounts, and awaits a worker", before + 1)
    return heir


@case
def keepers_in_different_containers_find_each_other():
    for kind in APART:
        with attaching(kind, options=("--succeed",)) as lab:
            lab.attach()
            container = lab.consumer()
            tables = lab.table(), container.table()
            (line,) = tables[0]
            check_equal(re.findall(fr"mount_id={line.split()[0]}\b",
                                   lab.mount.log_text()), [],
                        "ids are the same here and there")
            wanted = {container.path("mark"): MARK}
            with verified("WARM", "COLD", "COLD", wanted=wanted):
                for _ in range(3):
                    before = lab.keepers[-1]
                    _succeed(lab)
                    lab.attach()
                    check_equal(before.wait(20), 0, "the keeper before")
            check_equal((lab.table(), container.table()), tables)
            check_equal(lab.count("took over from another keeper"), 3)
            check_equal(len(_mounts_sockets()), 1, "sockets of one mount")
            if lab.kind:
                lab.put("second")
                lab.wait_for_mounts("first", "second")
            lab.keepers[-1].terminate()
            check_equal(lab.keepers[-1].wait(20), 0, "the last keeper")
            check_equal((lab.points(), os.listdir(lab.mount.point)), ([], []))


@case
def a_keeper_that_lingers_holds_nothing_and_ends_when_it_is_told_to():
    for kind in APART:
        with attaching(kind, options=("--succeed", "--linger")) as lab:
            lab.attach()
            table = lab.table()
            _succeed(lab)
            lab.attach()
            lab.wait_for("waiting to be told to end")
            check_equal(lab.keeper.poll(), None, "it ended")
            fds = f"/proc/{lab.keeper.pid}/fd"
            held = [os.readlink(os.path.join(fds, fd))
                    for fd in os.listdir(fds)]
            check_equal([path for path in held if "fuse" in path or
                         "memfd" in path or "socket" in path], [])
            check_equal(_children(lab.keeper.pid), "", "its children")
            lab.keeper.terminate()
            check_equal(lab.keeper.wait(20), 0, "its end")
            check_equal(lab.table(), table, "mounts")
            check_equal(read(lab.path()), MARK)
    # told to end while the next one awaits a worker: it has no time to linger
    with attaching(options=("--linger",)) as lab:
        lab.attach()
        _follow(lab)
        lab.keeper.terminate()
        check_equal(lab.keeper.wait(20), 0, "its end")
        lab.attach()
        check_equal(read(lab.path()), MARK)


@case
def where_nobody_serves_one_mounts_upon_what_died():
    for kind in APART:
        with attaching(kind, options=("--succeed",)) as lab:
            lab.attach()
            container = lab.consumer()
            for count in (2, 3):
                for process in lab.keepers[-1], lab.workers[-1].process:
                    process.kill()
                    process.wait(20)
                lab.start_keeper("--succeed")
                lab.attach()
                wait_until(lambda: len(container.table()) == count,
                           f"{count} mounts are stacked")
                check_equal(read(container.path("mark")), MARK)
            check_equal(len(lab.points()), 3)
            lab.keepers[-1].terminate()
            check_equal(lab.keepers[-1].wait(20), 0, "the last keeper")
            check_equal((lab.points(), os.listdir(lab.mount.point)), ([], []))


@case
def a_keeper_that_may_be_the_one_is_not_passed_over():
    with attaching(LabApart, options=("--succeed",)) as lab:
        lab.attach()
        lab.keeper.send_signal(signal.SIGSTOP)
        try:
            heir = lab.start_keeper("--succeed")
            check(heir.wait(30) != 0, "it started")
            check(lab.count("may be the one that serves"), "no line says so")
            lab.keepers.pop()
        finally:
            lab.keeper.send_signal(signal.SIGCONT)
        check_equal(read(lab.path()), MARK)


def _fill_queue(lab):
    """The keeper, which stands still, is not even reached any more."""
    mount_id = re.findall(r" mount_id=(\d+) worker_pid=",
                          lab.mount.log_text())[-1]
    waiting = []
    with contextlib.suppress(BlockingIOError):
        while True:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            waiting.append(client)
            client.setblocking(False)
            client.connect(f"/run/secretsfs/{mount_id}.sock")
    return waiting


@case
def nor_is_one_that_cannot_even_be_reached():
    with attaching(LabApart, options=("--succeed",)) as lab:
        lab.attach()
        lab.keeper.send_signal(signal.SIGSTOP)
        waiting = []
        try:
            waiting = _fill_queue(lab)
            heir = lab.start_keeper("--succeed")
            check(heir.wait(30) != 0, "it started")
            check(lab.count("may be the one that serves"), "no line says so")
            lab.keepers.pop()
        finally:
            for client in waiting:
                client.close()
            lab.keeper.send_signal(signal.SIGCONT)
        check_equal(read(lab.path()), MARK)


def _end_when_asked(listening, path, follower):
    """As a keeper whose mounts another one has by then."""
    client, _ = listening.accept()
    with client:
        client.recv(4096)
        os.rename(follower, path)


@case
def who_follows_one_that_ends_when_it_is_asked_is_found():
    with attaching(options=("--succeed",)) as lab:
        lab.attach()
        table = lab.table()
        path = _socket(lab)
        os.rename(path, f"{path}.later")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.settimeout(60)
            listening.bind(path)
            listening.listen()
            ending = threading.Thread(
                target=_end_when_asked,
                args=(listening, path, f"{path}.later"))
            ending.start()
            try:
                _succeed(lab)
            finally:
                ending.join()
        lab.attach()
        check_equal(lab.keeper.wait(20), 0, "the keeper before")
        _check_order(lab, table)


@case
def without_a_word_nobody_mounts_on_what_is_served():
    with attaching() as lab:
        lab.attach()
        table = lab.table()
        other = lab.start_keeper()
        check(other.wait(30) != 0, "it started")
        check(lab.count("mounted there already"), "no line says so")
        lab.keepers.pop()
        _check_order(lab, table)


main()
