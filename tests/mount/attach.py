# SPDX-License-Identifier: Apache-2.0
"""Workers that the keeper has not started: a keeper that awaits them, and
workers that come, follow each other, die and are fenced off; each case as on a
kernel that sends requests again, and as on one that does not."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import Mount
from lib.place import built, is_mounted, work_directory, write_file
from lib.process import environment, run, run_ok
from lib.reading import read
from lib.tap import check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until
from lib.ways import each_way as case, way

MNT_DETACH = 2
NOBODY = 65534
STRANGER = 65533
# For a worker that is to be found standing still.
SHORT_MS = "2000"
MARK = b"seen by all"
_libc = ctypes.CDLL(None)


class _Worker:
    """One that the test has started, as nobody."""

    def __init__(self, lab, user=NOBODY, more=()):
        self.log = os.path.join(lab.directory, f"worker{len(lab.workers)}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(lab.directory, "secretsfs-worker"), "--attach",
                 lab.socket, "--log-level", "debug", *more, lab.source,
                 lab.mount.point], user=user, group=user, extra_groups=[],
                env=environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        lab.workers.append(self)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait(self):
        return self.process.wait(20)


class _Lab:
    """A keeper without a worker, and a place to start workers from."""

    def __init__(self, directory, prefix=(), heartbeat="20000"):
        self.directory = directory
        self.workers = []
        self.socket = os.path.join(directory, "attach.sock")
        self.source = "file:" + write_file(
            os.path.join(directory, "app.json"), '{"mark": "seen by all"}')
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        self.mount = Mount(point, os.path.join(directory, "keeper.log"))
        shutil.copy(built("secretsfs-worker"), directory)
        with open(self.mount.log, "ab") as log:
            self.keeper = self._start(prefix, heartbeat, log)
        wait_until(lambda: os.path.exists(self.socket), "the socket", 20)

    def _start(self, prefix, heartbeat, log):
        return subprocess.Popen(
            [*prefix, built("secretsfs-keeper"),
             "--mount-point", self.mount.point,
             "--worker-uid", str(NOBODY), "--worker-gid", str(NOBODY),
             "--allow-other", "--foreground", "--log-level", "debug",
             "--heartbeat-ms", heartbeat,
             *(("--no-resend",) if way() else ()),
             "--attach-socket", self.socket, "--await-worker"],
            env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=log)

    def count(self, text):
        return self.mount.log_text().count(text)

    def attach(self):
        """A worker that serves when this returns."""
        before = self.count(" worker_pid=")
        worker = _Worker(self)
        wait_until(lambda: self.count(" worker_pid=") > before,
                   "the worker serves", 60)
        return worker

    def path(self):
        return self.mount.path("mark")

    def close(self):
        try:
            if is_mounted(self.mount.point):
                run_ok(built("secretsfs"), "unmount", self.mount.point)
                check_equal(self.keeper.wait(20), 0, "the keeper's end")
        finally:
            for process in (self.keeper,
                            *(worker.process for worker in self.workers)):
                if process.poll() is None:
                    process.kill()
                process.wait(20)
            while is_mounted(self.mount.point):
                run_ok("umount", "-l", self.mount.point)
        check(not os.path.exists(self.socket), "the socket is left")

    def show(self):
        for log in (self.mount.log, *(one.log for one in self.workers)):
            with open(log, encoding="utf-8", errors="replace") as text:
                for line in text.read().splitlines()[-30:]:
                    print(f"# {os.path.basename(log)}: {line}", flush=True)


@contextlib.contextmanager
def _lab(**keywords):
    with work_directory() as directory:
        lab = _Lab(directory, **keywords)
        try:
            try:
                yield lab
            finally:
                lab.close()
            for worker in lab.workers:
                check("Sanitizer" not in worker.log_text(), worker.log)
        except BaseException:
            lab.show()
            raise


@case
def a_keeper_mounts_when_the_first_worker_comes():
    with _lab() as lab:
        check(not is_mounted(lab.mount.point), "mounted by nobody")
        worker = lab.attach()
        wait_until(lambda: is_mounted(lab.mount.point), "mounted", 10)
        check_equal(read(lab.path()), MARK)
        check_equal(lab.count("a worker has come"), 1)
        check_equal(run(built("secretsfs"), "unmount",
                        lab.mount.point).code, 0)
        check_equal(worker.wait(), 0, "the worker's end")
        check_equal(lab.keeper.wait(20), 0, "the keeper's end")


@case
def a_worker_that_comes_takes_over_and_no_reader_sees_it():
    with _lab() as lab:
        workers = [lab.attach()]
        before = mount_ids(lab.mount.point)
        with verified("WARM", "COLD", "COLD", wanted={lab.path(): MARK}):
            for _ in range(5):
                workers.append(lab.attach())
                check_equal(workers[-2].wait(), 0, "the one before")
        check_equal(mount_ids(lab.mount.point), before, "mount ids")


@case
def readers_wait_for_the_next_worker():
    with _lab(heartbeat=SHORT_MS) as lab:
        with verified("COLD", wanted={lab.attach() and lab.path(): MARK}):
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
                lab.workers[-1].process.send_signal(number)
                lab.workers[-1].wait()
                lab.attach()
        check(lab.count("the worker stands still"), "no line says so")


@case
def a_worker_out_of_reach_is_fenced_off():
    with _lab(prefix=("unshare", "--pid", "--fork"),
              heartbeat=SHORT_MS) as lab:
        fenced = lab.attach()
        check_equal(read(lab.path()), MARK)
        with verified("COLD", wanted={lab.path(): MARK}):
            fenced.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: lab.count("is fenced off"), "the fence", 20)
            lab.attach()
            fenced.process.send_signal(signal.SIGCONT)
            check_equal(fenced.wait(), 0, "it leaves")
            wait_until(lambda: lab.count("was fenced off is gone"),
                       "the keeper hears of it", 20)
        check("another worker serves, leaving" in fenced.log_text(),
              "no line says so")


@case
def a_worker_that_is_not_ready_changes_nothing():
    with _lab() as lab:
        serving = lab.attach()
        failing = _Worker(lab, more=("--ttl", "never"))
        check(failing.wait() != 0, "it started")
        wait_until(lambda: lab.count("that was to follow does not"),
                   "a line", 20)
        check_equal(read(lab.path()), MARK)
        check_equal(serving.process.poll(), None, "the one that serves")


@case
def strangers_are_no_workers():
    with _lab() as lab:
        lab.attach()
        check(_Worker(lab, user=STRANGER).wait() != 0, "a closed socket")
        os.chmod(lab.socket, 0o666)
        _Worker(lab, user=STRANGER)
        wait_until(lambda: lab.count("a stranger wanted"), "a line", 20)
        check(_Worker(lab, user=0).wait() != 0, "root serves")
        check_equal(read(lab.path()), MARK)
        check_equal(lab.count("is to follow"), 0)


@case
def a_keeper_ends_while_it_awaits_a_worker():
    with _lab() as lab:
        lab.keeper.terminate()
        check(lab.keeper.wait(20) != 0, "it never served")
    with _lab() as lab:
        lab.attach().process.kill()
        wait_until(lambda: lab.count("another one follows"), "a death", 20)
        lab.keeper.terminate()
        check_equal(lab.keeper.wait(20), 0)
        check(not is_mounted(lab.mount.point), "still mounted")
    with _lab(heartbeat="600") as lab:
        lab.attach().process.kill()
        wait_until(lambda: lab.count("another one follows"), "a death", 20)
        # umount(8) would look into it, and nobody answers
        check_equal(_libc.umount2(lab.mount.point.encode(), MNT_DETACH), 0)
        check_equal(lab.keeper.wait(20), 0, "it noticed")


main()
