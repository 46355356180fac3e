# SPDX-License-Identifier: Apache-2.0
"""A keeper that starts no worker, and workers and keepers that a test starts
beside it, as containers would."""

import contextlib
import os
import shutil
import subprocess

from lib.class_text import class_text, object_text
from lib.container import Container, both_ways
from lib.marked import check_logs, marked
from lib.mounting import Mount
from lib.place import built, mounts, work_directory, write_file
from lib.process import environment, run_ok
from lib.seen import FOLLOWS
from lib.tap import check, check_equal
from lib.wait import wait_until
from lib.ways import way

NOBODY = 65534
MARK = b"seen by all who may look, and in no log"
SECRET = marked('{"mark": "%s"}' % MARK.decode())


class Worker:
    """One that the test has started, as nobody."""

    def __init__(self, lab, user=NOBODY, more=(), socket=None):
        self.log = os.path.join(lab.directory, f"worker{len(lab.workers)}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(lab.directory, "secretsfs-worker"), "--attach",
                 socket or lab.socket, "--log-level", "debug", *more,
                 *lab.source, lab.mount.point],
                user=user, group=user, extra_groups=[],
                env=environment(lab.variables), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        lab.workers.append(self)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait(self):
        return self.process.wait(20)


class Lab:
    """A keeper without a worker, and a place to start workers from."""

    kind = ()
    names = ()  # of its mount

    def __init__(self, directory, prefix=(), heartbeat="20000", options=(),
                 variables=None):
        self.directory = directory
        self.variables = variables
        self.workers = []
        self.keepers = []
        self.socket = os.path.join(directory, "attach.sock")
        self.source = self.make_source()
        self.mount = Mount(self.make_point(), os.path.join(directory, "keeper.log"))
        shutil.copy(built("secretsfs-worker"), directory)
        self._heartbeat = heartbeat
        self.keeper = self.start_keeper(*options, prefix=prefix)
        wait_until(lambda: os.path.exists(self.socket), "the socket")

    def make_source(self):
        return ("file:" + write_file(os.path.join(self.directory, "app.json"),
                                     SECRET),)

    def make_point(self):
        point = os.path.join(self.directory, "mnt")
        os.mkdir(point)
        return point

    def keeper_point(self):
        """Where the keeper finds the mount point."""
        return self.mount.point

    def start_keeper(self, *options, prefix=()):
        with open(self.mount.log, "ab") as log:
            keeper = subprocess.Popen(
                [*prefix, built("secretsfs-keeper"), *self.kind,
                 "--mount-point", self.keeper_point(),
                 "--worker-uid", str(NOBODY), "--worker-gid", str(NOBODY),
                 "--allow-other", "--foreground", "--log-level", "debug",
                 "--heartbeat-ms", self._heartbeat,
                 *(("--no-resend",) if way() else ()),
                 "--attach-socket", self.socket, "--await-worker", *options],
                env=environment(self.variables), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log)
        self.keepers.append(keeper)
        return keeper

    def count(self, text):
        return self.mount.log_text().count(text)

    def wait_for(self, text, count=1):
        wait_until(lambda: self.count(text) >= count,
                   f"the log says {count} times: {text}", 60)

    def attach(self):
        """A worker that serves when this returns."""
        before = self.count(" worker_pid=")
        worker = Worker(self)
        self.wait_for(" worker_pid=", before + 1)
        wait_until(self.points, "it is mounted")
        return worker

    def path(self):
        return self.mount.path(*self.names, "mark")

    def points(self):
        return [point for point, fstype in mounts()
                if fstype == "fuse.secretsfs" and
                f"{point}/".startswith(self.mount.point + "/")]

    def table(self):
        """What mountinfo says of the mounts, but for their order."""
        with open("/proc/self/mountinfo", encoding="utf-8") as lines:
            return sorted(line for line in lines
                          if f"{line.split()[4]}/".startswith(
                              self.mount.point + "/"))

    def _end_processes(self):
        for process in (*self.keepers,
                        *(worker.process for worker in self.workers)):
            if process.poll() is None:
                process.kill()
            process.wait(20)

    def unmount(self):
        run_ok(built("secretsfs"), "unmount", self.mount.point)

    def close(self):
        try:
            if self.points():
                self.unmount()
                check_equal(self.keepers[-1].wait(20), 0, "the keeper's end")
            for keeper in self.keepers:
                keeper.terminate()
                keeper.wait(20)
        finally:
            self._end_processes()
            while self.points():
                run_ok("umount", "-l", self.points()[0])
        check_equal([name for name in os.listdir(self.directory)
                     if "attach.sock" in name], [], "sockets left")

    def tidy(self):
        """What is left to be done when nobody looks into it any more."""

    def logs(self):
        return (self.mount.log, *(one.log for one in self.workers))

    def show(self):
        for log in self.logs():
            with open(log, encoding="utf-8", errors="replace") as text:
                for line in text.read().splitlines()[-40:]:
                    print(f"# {os.path.basename(log)}: {line}", flush=True)


class FolderLab(Lab):
    """The same of a directory of classes, with one class, "first"."""

    kind = ("--folder",)
    names = ("first",)

    def make_source(self):
        self.classes = os.path.join(self.directory, "classes")
        self.secrets = os.path.join(self.directory, "secrets")
        os.mkdir(self.classes)
        write_file(os.path.join(self.secrets, "app.json"), SECRET)
        self.put("first")
        return "--offline", self.secrets, self.classes

    def put(self, name):
        write_file(os.path.join(self.classes, f"{name}.yaml"),
                   class_text(object_text("app"), name=name))

    def drop(self, name):
        os.unlink(os.path.join(self.classes, f"{name}.yaml"))

    def wait_for_mounts(self, *names):
        wait_until(lambda: sorted(self.points()) ==
                   sorted(self.mount.path(name) for name in names),
                   f"mounts: {names}")


class _Apart:
    """Each keeper in a container of its own, in which the mounts have other
    ids."""

    def make_point(self):
        # Not shared: what the containers mount here is theirs.
        run_ok("mount", "-t", "tmpfs", "tmpfs", self.directory)
        run_ok("mount", "--make-private", self.directory)
        self.host = os.path.join(self.directory, "host")
        self.inside = os.path.join(self.directory, "inside")
        self.volume = os.path.join(self.directory, "volume")
        for path in self.host, self.inside, self.volume:
            os.mkdir(path)
        run_ok("mount", "-t", "tmpfs", "tmpfs", self.host)
        run_ok("mount", "--make-shared", self.host)
        os.mkdir(os.path.join(self.host, "mnt"))
        self.source = self.make_source()
        self.containers = []
        return os.path.join(self.host, "mnt")

    def keeper_point(self):
        return os.path.join(self.inside, "mnt")

    def start_keeper(self, *options, prefix=()):
        return super().start_keeper(
            *options, prefix=(*both_ways(self.host, self.inside), *prefix))

    def consumer(self):
        """A container that has the mount itself."""
        found = Container(self.mount.path(*self.names), self.volume, FOLLOWS)
        self.containers.append(found)
        return found

    def unmount(self):
        self.keepers[-1].terminate()

    def tidy(self):
        for container in self.containers:
            container.end()
        run_ok("umount", "-R", self.directory)


class LabApart(_Apart, Lab):
    pass


class FolderApart(_Apart, FolderLab):
    pass


APART = LabApart, FolderApart


@contextlib.contextmanager
def attaching(kind=Lab, **keywords):
    with work_directory() as directory:
        lab = kind(directory, **keywords)
        try:
            try:
                yield lab
            finally:
                lab.close()
            for worker in lab.workers:
                check("Sanitizer" not in worker.log_text(), worker.log)
            check_logs(*lab.logs())
        except BaseException:
            lab.show()
            raise
        finally:
            lab.tidy()
