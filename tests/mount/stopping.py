# SPDX-License-Identifier: Apache-2.0
"""A keeper that leaves its mounts on their places when it is told to end, for
the next one to mount upon; and one that takes them off, as it does by default.
Containers have the mounts themselves."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from keeper_test import connections
from lib.attaching import APART, MARK, FolderLab, Lab, attaching
from lib.place import built
from lib.process import environment, run_ok
from lib.reading import read
from lib.silent_fuse import is_broken, silent_fuse
from lib.status import status
from lib.tap import Skip, case, check, check_equal, main
from lib.verifying import mount_ids
from lib.wait import wait_until

LEAVE = "--succeed", "--on-stop", "leave"


def _stop(lab, number=signal.SIGTERM):
    keeper = lab.keepers[-1]
    with open(f"/proc/{keeper.pid}/task/{keeper.pid}/children",
              encoding="utf-8") as pids:
        pids = pids.read().split()
    with open(f"/proc/{keeper.pid}/comm", encoding="utf-8") as name:
        is_keeper = name.read().startswith("secretsfs")
    os.kill(keeper.pid if is_keeper else int(pids[0]), number)
    check_equal(keeper.wait(30), 0, "the keeper's end")


def _is_dead(container):
    try:
        os.listdir(container.path())
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def _reader(path):
    return subprocess.Popen(["cat", path],
                            env=environment(), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)


@case
def what_is_left_is_mounted_upon_and_who_has_it_sees_that():
    for kind in APART:
        with attaching(kind, options=LEAVE) as lab:
            lab.attach()
            container = lab.consumer()
            for count in (1, 2, 3):
                check_equal(read(container.path("mark")), MARK)
                _stop(lab)
                check_equal(lab.workers[-1].wait(), 0, "the worker's end")
                check_equal(len(lab.points()), count, "mounts")
                check(_is_dead(container), "somebody serves it")
                lab.start_keeper(*(LEAVE if count < 3 else LEAVE[:1]))
                lab.attach()
                wait_until(lambda: not _is_dead(container),
                           "the container has the next one")
            check_equal(read(container.path("mark")), MARK)
            _stop(lab)
            check_equal((lab.points(), os.listdir(lab.mount.point)), ([], []))


@case
def the_directory_below_stays_marked():
    for kind in APART:
        with attaching(kind, options=LEAVE) as lab:
            lab.attach()
            _stop(lab, signal.SIGINT)
            (point,) = lab.points()
            run_ok("umount", "-l", point)
            check_equal(os.listdir(point), ["NOT-MOUNTED"])
            lab.start_keeper("--succeed")
            lab.attach()
            _stop(lab)
            check_equal((lab.points(), os.listdir(lab.mount.point)), ([], []))


@case
def nobody_waits_for_a_worker_that_stands_still():
    # the second can be fenced off only, and holds its descriptors still
    for prefix in (), OUT_OF_REACH:
        for kind in APART:
            with attaching(kind, options=LEAVE, prefix=prefix) as lab:
                worker = lab.attach()
                container = lab.consumer()
                worker.process.send_signal(signal.SIGSTOP)
                reader = _reader(container.path("other"))
                try:
                    _stop(lab)
                    _, complaint = reader.communicate(timeout=30)
                    check_equal(reader.returncode, 1, complaint)
                    check(_is_dead(container), "somebody serves it")
                finally:
                    reader.kill()
                    reader.wait(20)
                    worker.process.send_signal(signal.SIGCONT)


FENCED_MS = "5000"
OUT_OF_REACH = "unshare", "--pid", "--fork", "--kill-child"


def _unmount(lab):
    run_ok(built("secretsfs"), "unmount", lab.mount.point)
    check_equal(lab.keeper.wait(30), 0, "the keeper's end")


@case
def nor_for_one_that_was_fenced_off_before():
    for options, end in ((LEAVE, _stop), ((), _stop), ((), _unmount)):
        for kind in Lab, FolderLab:
            with attaching(kind, options=options, prefix=OUT_OF_REACH,
                           heartbeat=FENCED_MS) as lab:
                worker = lab.attach()
                worker.process.send_signal(signal.SIGSTOP)
                reader = _reader(lab.mount.path(*lab.names, "other"))
                try:
                    lab.wait_for("is fenced off")
                    end(lab)
                    _, complaint = reader.communicate(timeout=30)
                    check_equal(reader.returncode, 1, complaint)
                finally:
                    reader.kill()
                    reader.wait(20)
                    worker.process.send_signal(signal.SIGCONT)
                for point in lab.points():
                    run_ok("umount", "-l", point)


@case
def who_was_not_heard_is_told_nothing_of_the_end():
    with attaching(Lab) as lab:
        lab.attach()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            (number,) = mount_ids(lab.mount.point)
            client.connect(f"/run/secretsfs/{number}.sock")
            # who comes later is let in later
            status(lab.mount.point)
            _stop(lab)
            client.settimeout(20)
            check_equal(client.recv(1000), b"", "it is told something")


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as pids:
        return [int(child) for child in pids.read().split()]


def _number(point):
    """By which the kernel knows the connection of what is mounted there."""
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        (line,) = [line for line in lines if line.split()[4] == point]
    return line.split()[2]


def _take_number(lab, number, stack):
    """A mount of somebody else that has it: the lowest one is given first. Who
    mounts anything else meanwhile may have it too."""
    for i in range(100):
        point = os.path.join(lab.directory, f"other{i}")
        os.mkdir(point)
        fd = stack.enter_context(silent_fuse(point))
        if _number(point) == number:
            return fd
    raise Skip(f"some other mount has the number {number} now")


@case
def a_number_that_is_somebody_elses_by_now_is_let_alone():
    with connections() as numbers, attaching(Lab, options=LEAVE) as lab, \
            contextlib.ExitStack() as stack:
        worker = lab.attach()
        number = _number(lab.mount.point)
        lab.keeper.send_signal(signal.SIGSTOP)
        try:
            # a notifier has the file system too
            for notifier in _children(lab.keeper.pid):
                os.kill(notifier, signal.SIGKILL)
            run_ok("umount", "-l", lab.mount.point)
            worker.process.kill()
            worker.wait()
            fd = _take_number(lab, number, stack)
            if not (numbers / number.partition(":")[2] / "abort").exists():
                raise Skip("no fusectl file system")
            check(not is_broken(fd), "it does not live")
            lab.keeper.terminate()
        finally:
            lab.keeper.send_signal(signal.SIGCONT)
        check_equal(lab.keeper.wait(30), 0, "the keeper's end")
        check(not is_broken(fd), "the keeper broke it")


@case
def without_a_word_all_is_taken_off():
    for options in (), ("--on-stop", "unmount"):
        for kind in APART:
            with attaching(kind, options=options) as lab:
                lab.attach()
                _stop(lab)
                check_equal((lab.points(), os.listdir(lab.mount.point)),
                            ([], []))


main()
