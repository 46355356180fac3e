# SPDX-License-Identifier: Apache-2.0
"""Workers that the keeper has not started: a keeper that awaits them, and
workers that come, follow each other, die and are fenced off; each case as on a
kernel that sends requests again, and as on one that does not."""

import ctypes
import os
import re
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.attaching import MARK, FolderApart, FolderLab, Worker, attaching
from lib.place import built, is_mounted
from lib.process import run
from lib.reading import read
from lib.status import status
from lib.tap import check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until
from lib.ways import each_way as case

MNT_DETACH = 2
STRANGER = 65533
# For a worker that is to be found standing still.
SHORT_MS = "5000"
_libc = ctypes.CDLL(None)


@case
def a_keeper_mounts_when_the_first_worker_comes():
    with attaching() as lab:
        check(not is_mounted(lab.mount.point), "mounted by nobody")
        worker = lab.attach()
        wait_until(lambda: is_mounted(lab.mount.point), "mounted")
        check_equal(read(lab.path()), MARK)
        check_equal(lab.count("a worker has come"), 1)
        check_equal(run(built("secretsfs"), "unmount",
                        lab.mount.point).code, 0)
        check_equal(worker.wait(), 0, "the worker's end")
        check_equal(lab.keeper.wait(20), 0, "the keeper's end")


@case
def a_worker_that_comes_takes_over_and_no_reader_sees_it():
    with attaching() as lab:
        workers = [lab.attach()]
        before = mount_ids(lab.mount.point)
        with verified("WARM", "COLD", "COLD", wanted={lab.path(): MARK}):
            for _ in range(5):
                workers.append(lab.attach())
                check_equal(workers[-2].wait(), 0, "the one before")
        check_equal(mount_ids(lab.mount.point), before, "mount ids")


@case
def readers_wait_for_the_next_worker():
    with attaching(heartbeat=SHORT_MS) as lab:
        with verified("COLD", wanted={lab.attach() and lab.path(): MARK}):
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
                lab.workers[-1].process.send_signal(number)
                lab.workers[-1].wait()
                lab.attach()
        check(lab.count("the worker stands still"), "no line says so")


@case
def a_worker_out_of_reach_is_fenced_off():
    with attaching(prefix=("unshare", "--pid", "--fork"),
              heartbeat=SHORT_MS) as lab:
        fenced = lab.attach()
        check_equal(read(lab.path()), MARK)
        with verified("COLD", wanted={lab.path(): MARK}):
            fenced.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: lab.count("is fenced off"), "the fence")
            lab.attach()
            fenced.process.send_signal(signal.SIGCONT)
            check_equal(fenced.wait(), 0, "it leaves")
            wait_until(lambda: lab.count("was fenced off is gone"),
                       "the keeper hears of it")
        check("another worker serves, leaving" in fenced.log_text(),
              "no line says so")


@case
def a_worker_that_is_not_ready_changes_nothing():
    with attaching() as lab:
        serving = lab.attach()
        failing = Worker(lab, more=("--ttl", "never"))
        check(failing.wait() != 0, "it started")
        wait_until(lambda: lab.count("that was to follow does not"),
                   "a line")
        check_equal(read(lab.path()), MARK)
        check_equal(serving.process.poll(), None, "the one that serves")


@case
def strangers_are_no_workers():
    with attaching() as lab:
        lab.attach()
        check(Worker(lab, user=STRANGER).wait() != 0, "a closed socket")
        os.chmod(lab.socket, 0o666)
        Worker(lab, user=STRANGER)
        wait_until(lambda: lab.count("a stranger wanted"), "a line")
        check(Worker(lab, user=0).wait() != 0, "root serves")
        check_equal(read(lab.path()), MARK)
        check_equal(lab.count("is to follow"), 0)


@case
def a_keeper_ends_while_it_awaits_a_worker():
    with attaching() as lab:
        lab.keeper.terminate()
        check(lab.keeper.wait(20) != 0, "it never served")
    with attaching(FolderLab) as lab:
        lab.keeper.terminate()
        check_equal(lab.keeper.wait(20), 0, "it had no mounts")
    with attaching() as lab:
        lab.attach().process.kill()
        wait_until(lambda: lab.count("another one follows"), "a death")
        lab.keeper.terminate()
        check_equal(lab.keeper.wait(20), 0)
        check(not is_mounted(lab.mount.point), "still mounted")
    with attaching(heartbeat="600") as lab:
        lab.attach().process.kill()
        wait_until(lambda: lab.count("another one follows"), "a death")
        # umount(8) would look into it, and nobody answers
        check_equal(_libc.umount2(lab.mount.point.encode(), MNT_DETACH), 0)
        check_equal(lab.keeper.wait(20), 0, "it noticed")


def _probe(lab, *prefix):
    """What a readiness probe in the keeper's container does."""
    return run(*prefix, built("secretsfs"), "status", lab.keeper_point())


def _without_worker(lab, names):
    """What status says, as lines and as a document."""
    result = _probe(lab)
    check_equal((result.code, result.err), (0, ""))
    lines = result.out.decode().splitlines()
    check_equal(lines[0], f"processes   keeper {lab.keeper.pid}, no worker: "
                "readers wait for the next one")
    check_equal([line.split()[0] for line in lines[3:]],
                [name or "-" for name in names])
    found = status(lab.mount.point)
    check_equal(found["pids"], {"keeper": lab.keeper.pid, "worker": None,
                                "notifier": None})
    check_equal([one["name"] for one in found["mounts"]], names)
    check_equal(sorted(str(one["mountId"]) for one in found["mounts"]),
                sorted(line.split()[0] for line in lab.table()))


def _lose_worker(lab):
    lab.workers[-1].process.kill()
    lab.workers[-1].wait()
    lab.wait_for("another one follows")


@case
def a_keeper_without_a_worker_says_so_and_is_ready():
    with attaching() as lab:
        lab.attach()
        check_equal(_probe(lab).code, 0)
        _lose_worker(lab)
        _without_worker(lab, [None])
    with attaching(FolderLab) as lab:
        lab.wait_for("awaiting a worker")
        _without_worker(lab, [])
        lab.attach()
        lab.put("second")
        lab.wait_for_mounts("first", "second")
        result = _probe(lab)
        check_equal(result.code, 0, result)
        check(all(re.search(fr"^{name} +mounted  {name}.yaml$",
                            result.out.decode(), re.MULTILINE)
                  for name in ("first", "second")), result.out)
        _lose_worker(lab)
        _without_worker(lab, ["first", "second"])
        lab.keeper.kill()
        lab.keeper.wait(20)
        result = _probe(lab)
        check_equal(result.code, 1, result)
        check("its keeper has died" in result.err, result)
        # for what comes after a keeper that died
        lab.start_keeper()
        lab.attach()


@case
def a_keeper_is_ready_in_a_container_of_its_own():
    with attaching(FolderApart) as lab:
        lab.wait_for("awaiting a worker")
        enter = "nsenter", "-m", "-t", str(lab.keeper.pid)
        check_equal(_probe(lab, *enter).code, 0)
        lab.attach()
        check_equal(_probe(lab, *enter).code, 0)


@case
def classes_come_and_go_whoever_serves_them():
    with attaching(FolderLab) as lab:
        check_equal(lab.points(), [], "mounted by nobody")
        lab.attach()
        table = lab.table()
        lab.put("second")
        lab.wait_for_mounts("first", "second")
        with verified("WARM", "COLD", wanted={lab.path(): MARK}):
            for number in (signal.SIGKILL, signal.SIGTERM):
                lab.workers[-1].process.send_signal(number)
                lab.workers[-1].wait()
                lab.attach()
            # while the one before serves
            lab.attach()
            check_equal(lab.workers[-2].wait(), 0, "the one before")
            check_equal(read(lab.mount.path("second", "mark")), MARK)
            lab.drop("second")
            lab.wait_for_mounts("first")
            lab.put("third")
            lab.wait_for_mounts("first", "third")
            check_equal(read(lab.mount.path("third", "mark")), MARK)
            # while nobody serves
            lab.workers[-1].process.kill()
            lab.workers[-1].wait()
            lab.drop("third")
            lab.put("fourth")
            lab.attach()
            lab.wait_for_mounts("first", "fourth")
            check_equal(read(lab.mount.path("fourth", "mark")), MARK)
        lab.drop("fourth")
        lab.wait_for_mounts("first")
        check_equal(lab.table(), table, "the mount that stayed")


main()
