# SPDX-License-Identifier: Apache-2.0
"""A directory of class files: one mount for each class, which come and go."""

import contextlib
import errno
import os
import signal
import stat
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.class_text import class_text, object_text
from lib.marked import check_logs
from lib.mounting import Mount, mount
from lib.place import built, mounts, work_directory, write_file
from lib.process import run, run_ok, wait_for_end
from lib.reading import read
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.verifying import verified
from lib.wait import wait_until

MARK = "NOT-MOUNTED"
MOUNTS_MAX = 64  # of keeper/session.h
SECRETS = {name: f"what is told by {name} alone".encode()
           for name in ("one", "two", "three")}


def _class(name, secret, namespace=None):
    text = class_text(object_text(secret), name=name)
    if namespace:
        text = text.replace(f"name: {name}}}",
                            f"name: {name}, namespace: {namespace}}}")
    return text


class Folder:
    """A directory of classes, mounted; secrets are files beside it."""

    def __init__(self, directory):
        self.classes = os.path.join(directory, "classes")
        self.secrets = os.path.join(directory, "secrets")
        self.point = os.path.join(directory, "mnt")
        self.log = os.path.join(directory, "log")
        for path in self.classes, self.secrets, self.point:
            os.mkdir(path)
        for name in SECRETS:
            write_file(os.path.join(self.secrets, f"{name}.json"),
                       '{"password": "%s"}' % SECRETS[name].decode())
        self.mounted = Mount(self.point, self.log)

    def put(self, file, *texts):
        return write_file(os.path.join(self.classes, file),
                          "---\n".join(texts))

    def drop(self, file):
        os.unlink(os.path.join(self.classes, file))

    def mount(self, *options):
        return mount(self.point, self.classes, "--offline", self.secrets,
                     *options, log=self.log)

    def mount_ok(self):
        result = self.mount()
        check_equal((result.code, result.err), (0, ""))

    def password(self, *names):
        return read(os.path.join(self.point, *names, "password"))

    def points(self):
        """What is mounted below, in the order of names."""
        return sorted(point[len(self.point) + 1:] for point, fstype in mounts()
                      if fstype == "fuse.secretsfs" and
                      point.startswith(self.point + "/"))

    def wait_for(self, *names):
        wait_until(lambda: self.points() == sorted(names),
                   f"mounts: {names}")

    def log_text(self):
        return self.mounted.log_text()

    def wait_for_log(self, *words):
        wait_until(lambda: any(all(word in line for word in words)
                               for line in self.log_text().splitlines()),
                   f"the log says {words}")

    def reload(self):
        os.kill(self.mounted.keeper_pid(), signal.SIGHUP)

    def unmount_all(self):
        check_equal(self.unmount().code, 0)
        check_equal((self.points(), os.listdir(self.point)), ([], []))

    def unmount(self, *names):
        return run(built("secretsfs"), "unmount",
                   os.path.join(self.point, *names))


def _take_off(found):
    while found.points():
        run_ok("umount", "-l", os.path.join(found.point, found.points()[0]))


@contextlib.contextmanager
def folder():
    """When it ends, nothing of a mount may be left, and is unmounted first
    where it still is."""
    with work_directory() as directory:
        found = Folder(directory)
        try:
            yield found
            if os.listdir(found.point):
                result = found.unmount()
                check_equal((result.code, result.err), (0, ""))
            check_equal(found.points(), [], "mounts left")
            check_equal(os.listdir(found.point), [], "directories left")
            check_logs(found.log)
        except BaseException:
            if os.path.exists(found.log):
                for line in found.log_text().splitlines()[-30:]:
                    print(f"# log: {line}", flush=True)
            raise
        finally:
            _take_off(found)


@case
def each_class_is_a_mount_of_its_name():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yml", _class("second", "two", "team"),
                 _class("third", "three"))
        here.put("c.txt", "no class")
        here.put(".d.yaml", "no class")
        here.mount_ok()
        check_equal(here.points(), ["first", "team/second", "third"])
        check_equal(here.password("first"), SECRETS["one"])
        check_equal(here.password("team", "second"), SECRETS["two"])
        check_equal(here.password("third"), SECRETS["three"])


@case
def a_mount_among_the_class_files_is_not_looked_at():
    with folder() as here:
        here.classes = here.point
        here.put("a.yaml", _class("first.yaml", "one"))
        # so that the worker's user may open it as any other may
        result = here.mount("--allow-other", "--dir-mode", "0555")
        check_equal((result.code, result.err), (0, ""))
        check_equal(here.points(), ["first.yaml"])
        worker = here.mounted.worker_pid()
        here.put("b.yaml", _class("second", "two"))
        here.wait_for("first.yaml", "second")
        check_equal(here.password("first.yaml"), SECRETS["one"])
        check_equal(here.password("second"), SECRETS["two"])
        check_equal(here.mounted.worker_pid(), worker, "who serves")
        check_equal(here.unmount().code, 0)
        here.drop("a.yaml")
        here.drop("b.yaml")


@case
def an_empty_directory_is_one_that_classes_come_to():
    with folder() as here:
        here.mount_ok()
        check_equal(here.points(), [])
        here.put("a.yaml", _class("first", "one"))
        here.wait_for("first")
        check_equal(here.password("first"), SECRETS["one"])
        check_equal(here.unmount().code, 0)


@case
def classes_come_and_go_as_their_files_do():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        here.put("b.yaml", _class("second", "two", "team"))
        here.wait_for("first", "team/second")
        check_equal(here.password("team", "second"), SECRETS["two"])
        here.drop("a.yaml")
        here.wait_for("team/second")
        wait_until(lambda: os.listdir(here.point) == ["team"],
                   "its directory is removed")
        here.drop("b.yaml")
        here.wait_for()
        wait_until(lambda: os.listdir(here.point) == [],
                   "those of the namespace, too")
        for count in range(20):  # more than there are places at a time
            here.put("a.yaml", _class(f"c{count}", "one"))
            here.wait_for(f"c{count}")
            check_equal(here.password(f"c{count}"), SECRETS["one"])
        check_equal(here.unmount().code, 0)


@case
def a_class_that_changes_keeps_its_mount():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        ids = [line.split()[0] for line in open("/proc/self/mountinfo",
                                                encoding="utf-8")
               if here.point in line]
        fd = os.open(os.path.join(here.point, "first"), os.O_RDONLY)
        try:
            here.put("a.yaml", _class("first", "two"))
            wait_until(lambda: os.path.exists(
                os.path.join(here.point, "first", "two")), "it is shown")
            # from one file to another
            here.put("b.yaml", _class("first", "two"))
            here.drop("a.yaml")
            wait_until(lambda: status(here.point)["classes"][0]["file"] ==
                       "b.yaml", "it has moved")
            check_equal(here.password("first"), SECRETS["two"])
            check("two" in os.listdir(fd), "another mount")
        finally:
            os.close(fd)
        check_equal([line.split()[0] for line in open("/proc/self/mountinfo",
                                                      encoding="utf-8")
                     if here.point in line], ids)


@case
def a_file_that_is_wrong_leaves_what_it_gave():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        here.put("a.yaml", "kind: SecretProviderClass\n")
        here.put("b.yaml", _class("second", "two"))
        here.wait_for("first", "second")
        here.wait_for_log("a class file is wrong", "a.yaml:")
        check_equal(here.password("first"), SECRETS["one"])
        wrong = status(here.point)["wrongFiles"]
        check_equal([one["file"] for one in wrong], ["a.yaml"])
        table = run_ok(built("secretsfs"), "status", here.point).out.decode()
        check("wrong: " in table and "second" in table, table)
        here.put("a.yaml", _class("first", "three"))
        wait_until(lambda: status(here.point)["wrongFiles"] == [],
                   "it is right again")
        check_equal(here.password("first"), SECRETS["three"])


@case
def a_file_comes_into_force_as_a_whole():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        # the second of it is another file's
        here.put("b.yaml", _class("second", "two"), _class("first", "two"))
        here.wait_for_log("a class file is wrong", "b.yaml:",
                          "is in 'a.yaml' already")
        check_equal(here.points(), ["first"])
        here.drop("a.yaml")
        here.wait_for("first", "second")
        check_equal(here.password("first"), SECRETS["two"])


@case
def a_wrong_file_at_the_start_is_told_and_the_others_serve():
    with folder() as here:
        here.put("a.yaml", "kind: SecretProviderClass\n")
        here.put("b.yaml", _class("second", "two"))
        result = here.mount()
        check_equal(result.code, 0, result)
        check("a.yaml:" in result.err, result)
        check_equal(here.points(), ["second"])
        check_equal(here.unmount().code, 0)


@case
def where_all_are_wrong_nothing_is_mounted():
    with folder() as here:
        here.put("a.yaml", "kind: SecretProviderClass\n")
        result = here.mount()
        check_equal(result.code, 1, result)
        check("a.yaml:" in result.err, result)


@case
def SIGHUP_reads_all_again_and_brings_back_what_was_unmounted():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two"))
        here.mount_ok()
        result = here.unmount("first")
        check_equal((result.code, result.err), (0, ""))
        check_equal(here.points(), ["second"])
        check_equal(here.password("second"), SECRETS["two"])
        wait_until(lambda: [one["state"] for one in
                            status(here.point)["classes"]] ==
                   ["unmounted", "mounted"], "status says so")
        run_ok("umount", os.path.join(here.point, "second"))
        here.wait_for()
        wait_until(lambda: os.listdir(here.point) == [], "given back")
        here.reload()
        here.wait_for("first", "second")
        check_equal(here.password("first"), SECRETS["one"])


@case
def status_and_refresh_know_the_one_and_all():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        here.password("first")
        one = status(os.path.join(here.point, "first"))
        check_equal([found["name"] for found in one["objects"]], ["one"])
        check_equal(one["mount"]["mountPoint"],
                    os.path.join(here.point, "first"))
        two = status(os.path.join(here.point, "team", "second"))
        check_equal(two["mount"]["class"], "team/second")
        check_equal([(found["name"], found["state"], found["file"])
                     for found in status(here.point)["classes"]],
                    [("first", "mounted", "a.yaml"),
                     ("team/second", "mounted", "b.yaml")])
        result = run_ok(built("secretsfs"), "refresh", here.point)
        check_equal(result.out.split()[0], b"1")
        result = run_ok(built("secretsfs"), "refresh", here.point, "one")
        check_equal(result.out.split()[0], b"1")


@case
def names_that_cannot_be_are_refused_and_told():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "first"))
        write_file(os.path.join(here.point, "file"), "mine")
        here.put("c.yaml", _class("file", "three"))
        result = here.mount()
        check_equal(result.code, 0, result)
        check("class first/second: " in result.err and
              "class file: " in result.err, result)
        check_equal(here.points(), ["first"])
        check_equal(here.unmount().code, 0)
        here.drop("a.yaml")
        here.drop("b.yaml")
        result = here.mount()
        check_equal(result.code, 1, result)
        check("no class could be mounted" in result.err, result)
        here.put("a.yaml", _class("first", "one"))
        here.drop("c.yaml")
        here.mount_ok()
        here.put("b.yaml", _class("second", "two", "first"))
        here.put("c.yaml", _class("file", "three"))
        wait_until(lambda: [one["state"] for one in
                            status(here.point)["classes"]] ==
                   ["mounted", "refused", "refused"], "both are refused")
        errors = [one["error"] for one in status(here.point)["classes"]]
        check("is a class and a namespace" in errors[1], errors)
        check("Not a directory" in errors[2], errors)
        check_equal(here.points(), ["first"])
        check_equal(here.unmount().code, 0)
        os.unlink(os.path.join(here.point, "file"))


@case
def directories_of_others_are_given_back_as_they_were():
    with folder() as here:
        os.mkdir(os.path.join(here.point, "first"), 0o751)
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        check_equal(here.unmount().code, 0)
        about = os.stat(os.path.join(here.point, "first"))
        check_equal(stat.S_IMODE(about.st_mode), 0o751)
        os.rmdir(os.path.join(here.point, "first"))


@case
def all_mounts_survive_their_worker():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        before = [point for point in mounts() if here.point in point[0]]
        for _ in range(3):
            worker = here.mounted.worker_pid()
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: here.mounted.worker_pid() != worker,
                       "another worker")
            check_equal(here.password("first"), SECRETS["one"])
            check_equal(here.password("team", "second"), SECRETS["two"])
        check_equal([point for point in mounts() if here.point in point[0]],
                    before)
        here.put("c.yaml", _class("third", "three"))
        here.wait_for("first", "team/second", "third")
        check_equal(here.password("third"), SECRETS["three"])


@case
def as_many_as_there_can_be_are_handed_over_at_once():
    # more than a socket takes, if nobody reads meanwhile
    names = ["%02d" % number + "x" * 240 for number in range(MOUNTS_MAX)]
    with folder() as here:
        here.put("a.yaml", *(_class(name, "one") for name in names))
        here.mount_ok()
        check_equal(here.points(), names)
        os.kill(here.mounted.worker_pid(), signal.SIGKILL)
        here.wait_for_log("serving again")
        check_equal(here.points(), names)
        for name in names:
            check_equal(here.password(name), SECRETS["one"])


@case
def what_is_more_than_there_can_be_is_told_of():
    names = ["%04d" % number for number in range(900)]
    with folder() as here:
        here.put("a.yaml", *(_class(name, "one") for name in names))
        result = here.mount()
        check_equal(result.code, 0, result)
        check("836 classes have no mount" in result.err, result)
        check_equal(here.points(), names[:MOUNTS_MAX])
        check_equal([one["state"] for one in status(here.point)["classes"]],
                    ["mounted"] * MOUNTS_MAX + ["refused"] * 836)
        # whoever makes room and says so gets the next ones
        run_ok("umount", os.path.join(here.point, names[0]))
        here.wait_for(*names[1:MOUNTS_MAX])
        here.put("a.yaml", *(_class(name, "one") for name in names[1:]))
        here.wait_for(*names[1:MOUNTS_MAX + 1])


def _check_made_up_for(replace):
    """What changes while the worker stands still, replace(here, worker) then
    having another one follow."""
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two"))
        here.mount_ok()
        worker = here.mounted.worker_pid()
        os.kill(worker, signal.SIGSTOP)
        here.drop("a.yaml")
        here.put("c.yaml", _class("third", "three"))
        replace(here, worker)
        here.wait_for("second", "third")
        check_equal(here.password("second"), SECRETS["two"])
        check_equal(here.password("third"), SECRETS["three"])


@case
def what_changed_while_there_was_no_worker_is_made_up_for():
    _check_made_up_for(lambda _, worker: os.kill(worker, signal.SIGKILL))


def _wait_for_worker_after(here, worker):
    wait_until(lambda: here.mounted.worker_pid() != worker, "another worker")


@case
def workers_follow_each_other_with_all_mounts():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        before = [point for point in mounts() if here.point in point[0]]
        for point in here.point, os.path.join(here.point, "first"):
            worker = here.mounted.worker_pid()
            run_ok(built("secretsfs"), "upgrade", point)
            check(here.mounted.worker_pid() != worker, "the same worker")
        worker = here.mounted.worker_pid()
        os.kill(worker, signal.SIGTERM)
        _wait_for_worker_after(here, worker)
        check_equal([point for point in mounts() if here.point in point[0]],
                    before)
        check_equal(here.log_text().count("the worker has left"), 3)
        check_equal(here.password("first"), SECRETS["one"])
        check_equal(here.password("team", "second"), SECRETS["two"])
        here.put("c.yaml", _class("third", "three"))
        here.wait_for("first", "team/second", "third")
        check_equal(here.password("third"), SECRETS["three"])


@case
def a_worker_that_follows_gets_what_changed_meanwhile():
    # what stands still does not leave, and is ended
    _check_made_up_for(lambda here, _: run_ok(built("secretsfs"), "upgrade",
                                              here.point))


def _keeper_words(here):
    with open(f"/proc/{here.mounted.keeper_pid()}/cmdline",
              encoding="utf-8") as words:
        words = words.read().split("\0")[1:-1]
    if "--take-over" in words:
        at = words.index("--take-over")
        del words[at:at + 2]
    return words


def _socket(here):
    about = os.stat(here.point)
    return f"/run/secretsfs/directory-{about.st_dev:x}-{about.st_ino}.sock"


def _table(here):
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return sorted(line for line in table if f"{here.point}/" in line)


@case
def keepers_follow_each_other_with_all_mounts():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        table = _table(here)
        wanted = {
            os.path.join(here.point, "first", "password"): SECRETS["one"],
            os.path.join(here.point, "team", "second", "password"):
                SECRETS["two"]}
        with verified("WARM", "COLD", "COLD", wanted=wanted):
            for _ in range(3):
                keeper = here.mounted.keeper_pid()
                run_ok(built("secretsfs-keeper"), "--take-over",
                       _socket(here), *_keeper_words(here))
                wait_for_end(keeper, "the keeper before")
                check_equal(len(status(here.point)["classes"]), 2)
                check_equal(status(os.path.join(here.point, "first"))
                            ["mount"]["class"], "first")
        check_equal(_table(here), table, "mounts")
        check_equal(here.log_text().count("has taken over"), 3)
        here.put("c.yaml", _class("third", "three"))
        here.wait_for("first", "team/second", "third")
        here.drop("b.yaml")
        here.wait_for("first", "third")
        here.unmount_all()


@case
def a_keeper_that_follows_gets_what_changed_meanwhile():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two"))
        here.mount_ok()
        worker = here.mounted.worker_pid()
        os.kill(worker, signal.SIGSTOP)
        here.drop("a.yaml")
        here.put("c.yaml", _class("third", "three"))
        run_ok(built("secretsfs-keeper"), "--take-over", _socket(here),
               *_keeper_words(here))
        here.wait_for("second", "third")
        check_equal(here.password("second"), SECRETS["two"])
        check_equal(here.password("third"), SECRETS["three"])


@case
def a_keeper_that_cannot_follow_changes_nothing():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        table = _table(here)
        first = os.path.join(here.point, "first")
        one = f"/run/secretsfs/{table[0].split()[0]}.sock"
        words = _keeper_words(here)
        worker = here.mounted.worker_pid()

        def refused(*options, words=words):
            result = run(built("secretsfs-keeper"), *options, *words)
            check(result.code != 0, result)
            check_equal(here.mounted.worker_pid(), worker, "who serves")
            check_equal(here.password("first"), SECRETS["one"])
            return result.err

        check("which is taken over as a whole" in
              refused("--take-over", one), "another reason")
        refused("--take-over", _socket(here), words=[*words, "--ttl", "never"])
        words = [word for word in words if word != "--folder"]
        words[words.index(here.point)] = first
        words[words.index("--") + 1:] = ["--offline", here.secrets,
                                         os.path.join(here.classes, "a.yaml"),
                                         first]
        check("a directory of classes is served here" in
              refused("--take-over", _socket(here), words=words),
              "another reason")
        check_equal(_table(here), table, "mounts")


def _kill(here):
    pids = here.mounted.keeper_pid(), here.mounted.worker_pid()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        wait_for_end(pid, "a process")


def _is_dead(path):
    try:
        os.listdir(path)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


@case
def a_keeper_that_was_killed_is_followed_by_another():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        _kill(here)
        wait_until(lambda: _is_dead(os.path.join(here.point, "first")),
                   "nobody serves it")
        here.mount_ok()
        check_equal(here.points(), ["first", "first", "team/second",
                                    "team/second"])
        check_equal(here.password("first"), SECRETS["one"])
        # what has no class any more is taken off as well
        _kill(here)
        here.drop("b.yaml")
        here.mount_ok()
        check_equal(here.password("first"), SECRETS["one"])
        here.unmount_all()


@case
def what_a_killed_keeper_left_is_unmounted():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two", "team"))
        here.mount_ok()
        _kill(here)
        result = here.unmount()
        check_equal(result.code, 0, result)
        check_equal((here.points(), os.listdir(here.point)), ([], []))


@case
def a_directory_is_not_served_twice():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.mount_ok()
        result = here.mount()
        check_equal(result.code, 1, result)
        check("below it already" in result.err, result)
        check_equal(here.password("first"), SECRETS["one"])


@case
def a_mount_that_another_keeper_serves_stays():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        here.put("b.yaml", _class("second", "two"))
        other = os.path.join(here.point, "first")
        result = mount(other, os.path.join(here.classes, "b.yaml"),
                       "--offline", here.secrets)
        check_equal(result.code, 0, result)
        result = here.mount()
        check_equal(result.code, 0, result)
        check("first: a secretsfs is mounted there already" in result.err,
              result)
        check_equal(here.points(), ["first", "second"])
        check_equal(here.unmount().code, 0)
        check_equal(here.points(), ["first"])
        check_equal(here.password("first"), SECRETS["two"])
        check_equal(here.unmount("first").code, 0)
        os.rmdir(other)


@case
def a_class_is_not_chosen_of_a_directory():
    with folder() as here:
        here.put("a.yaml", _class("first", "one"))
        result = here.mount("--class", "first")
        check_equal(result.code, 2, result)
        check("--class" in result.err, result)


main()
