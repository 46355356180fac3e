#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The notifier on real mounts, under a keeper, with a test as the worker."""

import contextlib
import ctypes
import errno
import mmap
import os
import re
import select
import signal
import socket
import struct
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from keeper_test import (DAC_OVERRIDE, PR_SET_CHILD_SUBREAPER, Lab, finish,
                         libc, status_of)
from lib import inotify
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.raw_fuse import ROOT, RawFuse
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch, wait_until

MOUNT, STOP, NOTIFIER = 3, 6, 11
REPLACE, REMOVE, DROP = 1, 2, 3
UNLINK = 1
PR_CAPBSET_DROP = 24
_MESSAGE = struct.Struct("=IIIiI")
_ORDER = struct.Struct("=IIQII1024s256s256s")
_ANSWER = struct.Struct("=IiQ")
ORDER_MAGIC = 0x73666e31


class Worker:
    """All that the keeper gives to its worker, in the hands of a test."""

    def __init__(self, listening):
        self.fuse = None
        self.notifiers = []  # (pid, socket) as they came; None for no socket
        self._listening = listening
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._id = 0

    def _run(self):
        client, _ = self._listening.accept()
        with client:
            while self._wake[0] not in select.select(
                    [client, self._wake[0]], [], [])[0]:
                data, fds, _, _ = socket.recv_fds(client, 4096, 1)
                if not data:
                    return
                self._on_message(_MESSAGE.unpack_from(data), fds)

    def _on_message(self, message, fds):
        _, kind, _, number, _ = message
        if kind == MOUNT:
            self.fuse = RawFuse(fds[0])
        elif kind == NOTIFIER:
            orders = socket.socket(fileno=fds[0]) if fds else None
            self.fuse.notifier = number or None
            self.notifiers.append((number, orders))
        elif kind == STOP:
            self.fuse.close()

    def orders(self):
        """The socket to the notifier of now."""
        wait_until(lambda: self.notifiers and self.notifiers[-1][1],
                   "the notifier's socket comes")
        return self.notifiers[-1][1]

    def pid(self):
        self.orders()
        return self.notifiers[-1][0]

    def file(self, name, content, directory=ROOT):
        """A file that is there from now on."""
        node = self.fuse.add(content)
        self.fuse.nodes[directory].names[name] = node
        return node

    def send(self, kind, name, source="", directory="", flags=0):
        """Returns the id of the order."""
        self._id += 1
        self.orders().send(_ORDER.pack(
            ORDER_MAGIC, kind, self._id, flags, 0, directory.encode(),
            name.encode(), source.encode()))
        return self._id

    def answer(self, seconds=10):
        """(id, result) of the next order that was executed."""
        orders = self.orders()
        check(select.select([orders], [], [], seconds)[0], "no answer")
        magic, result, number = _ANSWER.unpack(orders.recv(4096))
        check_equal(magic, ORDER_MAGIC, "magic")
        return number, result

    def order(self, *arguments, **keywords):
        number = self.send(*arguments, **keywords)
        answered, result = self.answer()
        check_equal(answered, number, "id")
        return result

    def replace(self, name, content, **keywords):
        """A new version of a file, as the worker is to make one."""
        node = self.fuse.add(content)
        source = f"..new-{node.number}"
        self.fuse.fresh[source] = node
        check_equal(self.order(REPLACE, name, source, **keywords), 0)
        return node

    def close(self):
        os.write(self._wake[1], b"x")
        self._thread.join()
        if self.fuse:
            self.fuse.close()


class Scene:
    """A mount with its keeper and a test as its worker."""

    def __init__(self, lab, worker, process):
        self.lab = lab
        self.worker = worker
        self.keeper = process

    def path(self, *names):
        return os.path.join(self.lab.mount_point, *names)

    def notifiers(self):
        return self.lab.processes("secretsfs-notifier")

    def check_runs(self, pid):
        wait_until(lambda: self.notifiers() == [pid],
                   f"{pid} is the one notifier")

    def check_ends(self):
        """Unmounts, and looks at what is left."""
        socket_path = self.lab.socket()
        result = self.lab.command("unmount", self.lab.mount_point)
        check_equal((result.returncode, result.stderr), (0, ""))
        self.lab.check_nothing_left(socket_path)
        return finish(self.keeper)


@contextlib.contextmanager
def scene(prepare=None, **more):
    lab = Lab()
    if prepare:
        prepare(lab)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path = lab.root / "lend"
    listening.bind(str(path))
    path.chmod(0o777)
    listening.listen()
    worker = Worker(listening)
    try:
        process = lab.serving(f"lend:{path}", "--allow-other", **more)
        wait_until(lambda: worker.notifiers, "news of a notifier")
        yield Scene(lab, worker, process)
    finally:
        worker.close()
        lab.close()
        listening.close()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def cached_pages(path):
    """How many pages of a file the kernel holds, by mincore(2)."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return cached_pages_of(fd)
    finally:
        os.close(fd)


def pages_of(size):
    return -(-size // mmap.PAGESIZE)


def cached_pages_of(fd):
    size = os.fstat(fd).st_size
    count = pages_of(size)
    states = ctypes.create_string_buffer(count)
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ,
                        mmap.MAP_SHARED, fd, ctypes.c_long(0))
    check_equal(libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size),
                             states), 0)
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))
    return sum(state & 1 for state in states.raw)


def refusal(call, *arguments):
    """The error that a call ends with."""
    try:
        call(*arguments)
    except OSError as error:
        return error.errno
    return 0


@case
def a_replaced_file_is_a_move_to_watchers():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        check_equal(read(here.path("x")), b"one")
        with inotify.Watch(here.path()) as directory, \
                inotify.Watch(here.path("x")) as file:
            new = worker.replace("x", b"two!")
            directory.wait_for(inotify.MOVED_TO, "x")
            directory.wait_for(inotify.MOVED_FROM, f"..new-{new.number}")
            file.wait_for(inotify.DELETE_SELF, "")
        # The entry has moved with the name: no LOOKUP of it was needed.
        lookups = worker.fuse.count("LOOKUP", name="x")
        check_equal(read(here.path("x")), b"two!")
        check_equal(os.stat(here.path("x")).st_ino, new.number)
        check_equal(worker.fuse.count("LOOKUP", name="x"), lookups)
        here.check_ends()


@case
def the_pages_of_a_replaced_file_are_dropped():
    with scene() as here:
        worker = here.worker
        old = worker.file("x", b"1" * 20000)
        with open(here.path("x"), "rb") as held:
            check_equal(held.read(), b"1" * 20000)
            check_equal(cached_pages_of(held.fileno()), pages_of(20000))
            new = worker.replace("x", b"2" * 20000)
            check_equal(cached_pages_of(held.fileno()), 0)
            reads = worker.fuse.count("READ", old.number)
            # Whoever holds it still reads what it opened.
            check_equal(os.pread(held.fileno(), 5, 0), b"11111")
            check(worker.fuse.count("READ", old.number) > reads, "no READ")
        check_equal(read(here.path("x")), b"2" * 20000)
        # Nobody holds that one: it is forgotten at once.
        worker.replace("x", b"3")
        wait_until(lambda: worker.fuse.count("FORGET", new.number),
                   "the replaced node is forgotten")
        here.check_ends()


@case
def a_name_that_is_not_there_yet_appears():
    with scene() as here:
        with inotify.Watch(here.path()) as directory:
            here.worker.replace("x", b"one")
            directory.wait_for(inotify.MOVED_TO, "x")
        check_equal(read(here.path("x")), b"one")


@case
def a_removed_file_is_a_deletion_to_watchers():
    with scene() as here:
        worker = here.worker
        old = worker.file("x", b"1" * 5000)
        with open(here.path("x"), "rb") as held, \
                inotify.Watch(here.path()) as directory:
            held.read()
            check_equal(worker.order(REMOVE, "x"), 0)
            directory.wait_for(inotify.DELETE, "x")
            check_equal(cached_pages_of(held.fileno()), 0)
        check_equal(refusal(os.stat, here.path("x")), errno.ENOENT)
        wait_until(lambda: worker.fuse.count("FORGET", old.number),
                   "the removed node is forgotten")
        check_equal(worker.order(REMOVE, "x"), -errno.ENOENT)
        here.check_ends()


@case
def pages_are_dropped_by_a_name_that_goes_again():
    with scene() as here:
        worker = here.worker
        old = worker.file("x", b"1" * 5000)
        with open(here.path("x"), "rb") as held:
            held.read()
            worker.replace("x", b"2")
            os.pread(held.fileno(), 5000, 0)
            check_equal(cached_pages_of(held.fileno()), pages_of(5000))
            name = f"..node-{old.number}"
            worker.fuse.fresh[name] = old
            check_equal(worker.order(DROP, name, flags=UNLINK), 0)
            check_equal(cached_pages_of(held.fileno()), 0)
        check_equal(worker.fuse.count("UNLINK", ROOT, name), 1)
        wait_until(lambda: worker.fuse.count("FORGET", old.number),
                   "no entry holds the node")
        read(here.path("x"))
        check_equal(cached_pages(here.path("x")), 1)
        check_equal(worker.order(DROP, "x"), 0)
        check_equal(cached_pages(here.path("x")), 0)
        check_equal(worker.order(DROP, "y"), -errno.ENOENT)
        here.check_ends()


@case
def orders_reach_into_directories_and_not_out_of_them():
    with scene() as here:
        worker = here.worker
        outer = worker.fuse.add()
        inner = worker.fuse.add()
        worker.fuse.nodes[ROOT].names["prod"] = outer
        outer.names["app"] = inner
        worker.file("x", b"one", inner.number)
        check_equal(read(here.path("prod", "app", "x")), b"one")
        with inotify.Watch(here.path("prod", "app")) as directory:
            worker.replace("x", b"two", directory="prod/app")
            directory.wait_for(inotify.MOVED_TO, "x")
        check_equal(read(here.path("prod", "app", "x")), b"two")
        check_equal(worker.order(REMOVE, "x", directory="prod/none"),
                    -errno.ENOENT)
        here.check_ends()


@case
def others_cannot_change_anything():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        worker.fuse.fresh["..new-9"] = worker.fuse.add(b"nine")
        super_options = here.lab.mounts()[0][-1].split(",")
        check("rw" in super_options, super_options)
        check("ro" in here.lab.mounts()[0][5].split(","), "public: writable")
        before = len(worker.fuse.requests)
        for call, *arguments in (
                (os.rename, here.path("x"), here.path("y")),
                (os.rename, here.path("..new-9"), here.path("x")),
                (os.unlink, here.path("x")),
                (os.chmod, here.path("x"), 0o666),
                (os.truncate, here.path("x"), 0),
                (os.mkdir, here.path("d"))):
            check_equal(refusal(call, *arguments), errno.EROFS, call.__name__)
        check_equal(refusal(os.stat, here.path("..new-9")), errno.ENOENT)
        kinds = {kind for kind, _, _ in worker.fuse.requests[before:]}
        check(kinds <= {"LOOKUP", "GETATTR"}, kinds)
        check_equal(read(here.path("x")), b"one")


def is_fenced(pid):
    """By its own filter, beside the keeper's, which it inherits."""
    return status_of(pid)["Seccomp_filters"] == "2"


@case
def it_keeps_one_capability_behind_two_fences():
    with scene() as here:
        pid = here.worker.pid()
        here.check_runs(pid)
        wait_until(lambda: is_fenced(pid), "the sandbox")
        status = status_of(pid)
        for name, bits in (("CapPrm", 1 << DAC_OVERRIDE),
                           ("CapEff", 1 << DAC_OVERRIDE), ("CapInh", 0),
                           ("CapBnd", 0), ("CapAmb", 0)):
            check_equal(int(status[name], 16), bits, name)
        check_equal(status["NoNewPrivs"], "1")
        check_equal(status["Groups"].split(), [])
        check_equal(status["Threads"], "1")
        links = sorted(os.readlink(f"/proc/{pid}/fd/{number}").split(":")[0]
                       for number in os.listdir(f"/proc/{pid}/fd"))
        # Standard error is the keeper's, which stays in the foreground here.
        check_equal(links, ["/", "/dev/null", "/dev/null", "pipe", "socket",
                            "socket"])
        with open(f"/proc/{pid}/environ", "rb") as environment:
            check_equal(environment.read(), b"")


@case
def malformed_orders_are_refused_and_change_nothing():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        orders = worker.orders()
        good = _ORDER.pack(ORDER_MAGIC, REMOVE, 5, 0, 0, b"", b"x", b"")
        outside = os.path.join(here.lab.root, "victim")
        with open(outside, "w", encoding="utf-8") as file:
            file.write("victim")
        before = len(worker.fuse.requests)
        for data, answer in (
                (b"x", (0, -errno.EPROTO)),
                (good[:-1], (0, -errno.EPROTO)),
                (good + b"x", (0, -errno.EPROTO)),
                (bytes(4) + good[4:], (0, -errno.EPROTO)),
                (order(kind=9), (5, -errno.EINVAL)),
                (order(flags=4), (5, -errno.EINVAL)),
                (order(name=b"../victim"), (5, -errno.EINVAL)),
                (order(name=outside.encode()), (5, -errno.EINVAL)),
                (order(name=b".."), (5, -errno.EINVAL)),
                (order(name=b""), (5, -errno.EINVAL)),
                (order(name=b"x" * 256), (5, -errno.EINVAL)),
                (order(directory=b".."), (5, -errno.EINVAL)),
                (order(directory=b"/"), (5, -errno.EINVAL)),
                (order(kind=REPLACE, source=b"a/b"), (5, -errno.EINVAL))):
            orders.send(data)
            check_equal(worker.answer(), answer, data[:40])
        check_equal(worker.fuse.requests[before:], [])
        check(os.path.exists(outside), "the victim is gone")
        # A descriptor that comes with an order stays outside.
        count = len(os.listdir(f"/proc/{worker.pid()}/fd"))
        socket.send_fds(orders, [b"x"], [0])
        check_equal(worker.answer(), (0, -errno.EPROTO))
        check_equal(len(os.listdir(f"/proc/{worker.pid()}/fd")), count)
        check_equal(read(here.path("x")), b"one")
        worker.replace("x", b"two")
        here.check_ends()


def order(kind=REMOVE, flags=0, directory=b"", name=b"x", source=b""):
    return _ORDER.pack(ORDER_MAGIC, kind, 5, flags, 0, directory, name, source)


@case
def one_that_is_killed_is_followed_by_another():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        pid = worker.pid()
        old = worker.orders()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(worker.notifiers) == 3, "another comes")
        check_equal(worker.notifiers[1], (0, None))
        check_equal(old.recv(10), b"", "the end of its orders")
        check(worker.pid() != pid, "the same pid")
        here.check_runs(worker.pid())
        with inotify.Watch(here.path()) as directory:
            worker.replace("x", b"two")
            directory.wait_for(inotify.MOVED_TO, "x")
        code, log = here.check_ends()
        check_equal(code, 0)
        check(f'pid={pid} cause="signal KILL"' in log, log)


@case
def one_that_dies_again_and_again_is_given_up():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        for times in range(5):
            pid = worker.pid()
            check_equal(len(worker.notifiers), 2 * times + 1)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: worker.notifiers[-1][0] != pid, "news of it")
            if times < 4:
                wait_until(lambda: worker.notifiers[-1][0], "another comes")
        check_equal(worker.notifiers[-1], (0, None))
        check_equal(read(here.path("x")), b"one")
        check_equal(here.notifiers(), [])
        _, log = here.check_ends()
        check("going on without a notifier" in log, log)
        check("died too often" in log, log)


@case
def a_mount_goes_on_where_there_is_none():
    def remove(lab):
        (lab.root / "secretsfs-notifier").unlink()

    def break_it(lab):
        (lab.root / "secretsfs-notifier").write_bytes(b"\x7fELF, or not")

    for prepare, words in ((remove, "secretsfs-notifier is not"),
                           (break_it, "cannot run secretsfs-notifier")):
        with scene(prepare) as here:
            worker = here.worker
            wait_until(lambda: worker.notifiers and
                       worker.notifiers[-1] == (0, None), "the news")
            worker.file("x", b"one")
            check_equal(read(here.path("x")), b"one")
            code, log = here.check_ends()
            check_equal(code, 0)
            check("going on without a notifier" in log and words in log, log)


@case
def a_mount_goes_on_where_nothing_may_override_permissions():
    def drop_capability():
        check_equal(libc.prctl(PR_CAPBSET_DROP, DAC_OVERRIDE, 0, 0, 0), 0)

    with scene(preexec_fn=drop_capability) as here:
        worker = here.worker
        wait_until(lambda: worker.notifiers[-1] == (0, None), "the news")
        worker.file("x", b"one")
        check_equal(read(here.path("x")), b"one")
        _, log = here.check_ends()
        check('going on without a notifier' in log, log)
        check("no CAP_DAC_OVERRIDE" in log, log)
        check("the notifier died" not in log, log)


@case
def one_that_was_stopped_goes_on():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        os.kill(worker.pid(), signal.SIGSTOP)
        number = worker.send(DROP, "x")
        os.kill(worker.pid(), signal.SIGCONT)
        check_equal(worker.answer(), (number, 0))
        worker.replace("x", b"two")
        check_equal(len(worker.notifiers), 1)


def block(here, stack):
    """A notifier behind a LOOKUP that nobody answers."""
    worker = here.worker
    worker.file("x", b"one")
    read(here.path("x"))
    worker.fuse.parked_names.add("cold")
    reader = threading.Thread(target=refusal,
                              args=(os.stat, here.path("cold")))
    reader.start()
    stack.callback(reader.join)
    wait_until(lambda: worker.fuse.count("LOOKUP", name="cold"), "a LOOKUP")
    node = worker.fuse.add(b"two")
    worker.fuse.fresh["..new-2"] = node
    number = worker.send(REPLACE, "x", "..new-2")
    wait_until(lambda: status_of(worker.pid())["State"].startswith("D"),
               "the notifier waits")
    return number


@case
def orders_wait_behind_a_lookup_and_are_executed_in_their_order():
    with contextlib.ExitStack() as stack, scene() as here:
        worker = here.worker
        stack.callback(worker.fuse.close)
        first = block(here, stack)
        second = worker.send(DROP, "x")
        third = worker.send(REMOVE, "x")
        check(not select.select([worker.orders()], [], [], 0)[0], "answered")
        worker.fuse.release()
        check_equal([worker.answer() for _ in range(3)],
                    [(first, 0), (second, 0), (third, 0)])
        here.check_ends()


@case
def unmount_ends_also_while_the_notifier_waits():
    with contextlib.ExitStack() as stack, scene() as here:
        stack.callback(here.worker.fuse.close)
        block(here, stack)
        with Stopwatch() as watch:
            code, log = here.check_ends()
        check_equal(code, 0)
        check("does not end" not in log, log)
        check(watch.s < 5 + BUSY_S, "took", watch.s)
        print(f"# took {watch.s:.2f} s", flush=True)


@case
def one_that_waits_is_killed_and_replaced_when_it_can_go():
    with contextlib.ExitStack() as stack, scene() as here:
        worker = here.worker
        stack.callback(worker.fuse.close)
        block(here, stack)
        pid = worker.pid()
        os.kill(pid, signal.SIGKILL)
        check_equal(status_of(pid)["State"][0], "D")
        check_equal(len(worker.notifiers), 1)
        worker.fuse.release()
        wait_until(lambda: len(worker.notifiers) == 3, "another comes")
        worker.replace("x", b"three")
        check_equal(read(here.path("x")), b"three")
        here.check_ends()


@case
def its_clone_does_not_outlive_a_mount_that_someone_takes_off():
    with scene() as here:
        here.worker.file("x", b"one")
        here.worker.replace("x", b"two")
        path = here.lab.socket()
        result = here.lab.run(["umount", "-i", str(here.lab.mount_point)])
        check_equal((result.returncode, result.stderr), (0, ""))
        code, log = finish(here.keeper)
        check_equal(code, 0)
        check("someone unmounted a mount" in log, log)
        here.lab.check_nothing_left(path)


@case
def it_stays_when_an_unmount_is_refused():
    with scene() as here:
        worker = here.worker
        worker.file("x", b"one")
        pid = worker.pid()
        target = str(here.lab.mount_point).encode()
        check_equal(libc.mount(b"none", target, b"tmpfs", 0, None), 0)
        result = here.lab.command("unmount", here.lab.mount_point)
        check_equal(result.returncode, 1)
        check_equal(libc.umount2(target, 0), 0)
        here.check_runs(pid)
        worker.replace("x", b"two")
        here.check_ends()


def notifiers_named_in(mounted):
    return [int(pid) for pid in
            re.findall(r"notifier mount=0 pid=(\d+)", mounted.log_text())]


def clone_of(pid):
    """A way to the clone, which only root has."""
    for number in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{number}"
        if os.readlink(path) == "/":
            return path
    return None


@case
def the_worker_refuses_changes_of_others_also_through_the_clone():
    with work_directory() as directory:
        source = "file:" + write_file(os.path.join(directory, "app.json"),
                                      '{"password": "x"}')
        with mounted_at(directory, source) as mounted:
            wait_until(lambda: notifiers_named_in(mounted), "a notifier")
            (pid,) = notifiers_named_in(mounted)
            # Until then its descriptors may still be those of the keeper.
            wait_until(lambda: is_fenced(pid), "the sandbox")
            clone = clone_of(pid)
            check_equal(read(os.path.join(clone, "password")), b"x")
            for call, *arguments in (
                    (os.unlink, f"{clone}/password"),
                    (os.rename, f"{clone}/password", f"{clone}/other"),
                    (os.chmod, f"{clone}/password", 0o666),
                    (os.mkdir, f"{clone}/other")):
                check_equal(refusal(call, *arguments), errno.EROFS)
            for kind in ("UNLINK", "RENAME", "SETATTR", "MKDIR"):
                check_equal(mounted.requests(kind), 1, kind)
            check_equal(read(mounted.path("password")), b"x")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: len(notifiers_named_in(mounted)) == 2,
                       "another notifier")
            check_equal(mounted.unmount().code, 0)


@case
def it_ends_with_its_keeper():
    with scene() as here:
        here.worker.orders()
        here.keeper.kill()
        finish(here.keeper)
        wait_until(lambda: not here.lab.all_processes(), "its end")


if __name__ == "__main__":
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    main()
