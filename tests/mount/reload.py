# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: another class comes into force as a whole, or not at all."""

import contextlib
import os
import signal
import sys
import threading

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import FakeAws
from lib.class_text import class_text, object_text
from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.reading import check_error, error_of, read
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

READ_AGAIN = "the configuration was read again"
KEPT = "the old configuration stays in force"


class Scene:
    """A class file that can be replaced, mounted."""

    def __init__(self, aws, mount, path):
        self.aws = aws
        self.mount = mount
        self.class_path = path

    def path(self, *names):
        return self.mount.path(*names)

    def reload(self, text=None, says=READ_AGAIN):
        if text is not None:
            write_file(self.class_path, text)
        before = self.mount.log_text().count(says)
        os.kill(self.mount.keeper_pid(), signal.SIGHUP)
        wait_until(lambda: self.mount.log_text().count(says) > before,
                   f"the log says: {says}")


@contextlib.contextmanager
def _scene(*objects, options=("--ttl", "1h"), **secrets):
    with work_directory() as directory, FakeAws(directory) as aws:
        for name, value in secrets.items():
            aws.put(name, value)
        path = write_file(os.path.join(directory, "c.yaml"),
                          class_text(*objects))
        with mounted_at(directory, path, *options,
                        env=aws.environment()) as mount:
            yield Scene(aws, mount, path)


def _inodes(scene, *names):
    return [os.stat(scene.path(name)).st_ino for name in names]


@case
def files_that_stay_keep_their_inodes_and_are_not_fetched_again():
    both = [object_text("a"), object_text("b")]
    with _scene(*both, a='{"k": "1"}', b='{"l": "2"}') as scene:
        read(scene.path("k"))
        read(scene.path("l"))
        inodes = _inodes(scene, "a", "b", "k", "l")
        calls = scene.aws.calls()
        scene.reload(class_text(object_text("b"), object_text("a"),
                                object_text("c")))
        check_equal(_inodes(scene, "a", "b", "k", "l"), inodes, "inodes")
        check_equal((read(scene.path("k")), read(scene.path("l"))),
                    (b"1", b"2"))
        check_equal(scene.aws.calls(), calls, "AWS calls")


@case
def what_is_gone_vanishes_and_what_is_new_appears():
    with _scene(object_text("a", "objectAlias: old", "jmesPath: []"),
                a="a", b="b") as scene:
        read(scene.path("old"))
        check_error(scene.path("new"), "ENOENT")
        scene.reload(class_text(object_text(
            "b", "objectAlias: new", "jmesPath: []")))
        # with FUSE_NOTIFY_INC_EPOCH at once; the TTL is an hour
        check_error(scene.path("old"), "ENOENT")
        check_equal(read(scene.path("new")), b"b")
        check_equal(os.listdir(scene.mount.point), ["new"])


@case
def after_the_TTL_it_shows_on_any_kernel():
    with _scene(object_text("a", "objectAlias: old", "jmesPath: []"),
                options=("--ttl", "1s"), a="a") as scene:
        read(scene.path("old"))
        scene.reload(class_text(object_text(
            "a", "objectAlias: new", "jmesPath: []")))
        wait_until(lambda: error_of(read, scene.path("old")) == "ENOENT",
                   "the old name is gone")
        check_equal(read(scene.path("new")), b"a")


@case
def an_open_file_goes_on_when_its_name_is_gone():
    with _scene(object_text("a", "jmesPath: []"), a="value",
                b="b") as scene:
        fd = os.open(scene.path("a"), os.O_RDONLY)
        try:
            scene.reload(class_text(object_text("b", "jmesPath: []")))
            check_error(scene.path("a"), "ENOENT")
            check_equal(os.pread(fd, 100, 0), b"value")
        finally:
            os.close(fd)


@case
def a_broken_class_changes_nothing_and_the_log_says_where():
    for number, (text, reason) in enumerate((
            (class_text("- objectName: a"),
             "c.yaml:8: Must use objectType when a full ARN is not "
             "specified: a"),
            (class_text(object_text("b"), object_text(
                "c", "objectAlias: b")), "c.yaml:12: "),
            ("spec: [", "c.yaml:2: Failed to load SecretProviderClass"),
            ("kind: ConfigMap\n", "there is no SecretProviderClass"))):
        with _scene(object_text("a"), a='{"k": "1"}', b="b") as scene:
            read(scene.path("k"))
            inodes = _inodes(scene, "a", "k")
            scene.reload(text, says=KEPT)
            check(reason in scene.mount.log_text(), number,
                  scene.mount.log_text())
            check_equal(_inodes(scene, "a", "k"), inodes, "inodes")
            check_equal(read(scene.path("k")), b"1")
            check_error(scene.path("b"), "ENOENT")
            check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def a_class_file_that_is_gone_changes_nothing():
    with _scene(object_text("a"), a="1") as scene:
        read(scene.path("a"))
        os.unlink(scene.class_path)
        scene.reload(says=KEPT)
        check("c.yaml: No such file" in scene.mount.log_text(),
              scene.mount.log_text())
        check_equal(read(scene.path("a")), b"1")


@case
def after_an_error_the_next_reload_is_as_good_as_any():
    with _scene(object_text("a"), a="1", b="2") as scene:
        scene.reload("spec: [", says=KEPT)
        scene.reload(class_text(object_text("b")))
        check_equal(read(scene.path("b")), b"2")


@case
def modes_and_owners_change_without_another_inode():
    with _scene(object_text("a", 'filePermission: "0400"'),
                a='{"k": "1"}') as scene:
        read(scene.path("k"))
        inodes = _inodes(scene, "a", "k")
        scene.reload(class_text(object_text(
            "a", 'filePermission: "0444"', 'owner: "7:8"')))
        for name in ("a", "k"):
            status = os.stat(scene.path(name))
            check_equal((status.st_mode & 0o777, status.st_uid,
                         status.st_gid), (0o444, 7, 8), name)
        check_equal(_inodes(scene, "a", "k"), inodes, "inodes")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def a_version_that_another_class_asks_for_is_another_node():
    with _scene(object_text("a", "jmesPath: []"), a="old") as scene:
        scene.aws.put("a", "new and longer")
        check_equal(read(scene.path("a")), b"new and longer")
        scene.reload(class_text(object_text(
            "a", "jmesPath: []", "objectVersionLabel: AWSPREVIOUS")))
        check_equal(read(scene.path("a")), b"old")
        check_equal(os.stat(scene.path("a")).st_size, 3, "size")


@case
def another_path_under_the_same_name_shows_another_value():
    def text(path):
        return object_text("a", "jmesPath:",
                           f"- {{path: {path}, objectAlias: x}}")
    with _scene(text("one"), a='{"one": "1", "two": "22"}') as scene:
        check_equal(read(scene.path("x")), b"1")
        scene.reload(class_text(text("two")))
        check_equal(read(scene.path("x")), b"22")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def another_TTL_holds_from_then_on():
    with _scene(object_text("a"), a='{"k": "1"}') as scene:
        read(scene.path("k"))
        scene.reload(class_text(object_text("a"), parameters=["ttl: 1s"]))
        scene.aws.put("a", '{"k": "2"}')
        wait_until(lambda: read(scene.path("k")) == b"2",
                   "the new TTL")


@case
def layout_tree_can_come_and_go():
    with _scene(object_text("a"), a='{"k": "1"}') as scene:
        read(scene.path("k"))
        scene.reload(class_text(object_text("a"),
                                parameters=["layout: tree"]))
        check_equal(read(scene.path("a", "k")), b"1")
        check_error(scene.path("k"), "ENOENT")
        scene.reload(class_text(object_text("a")))
        check_equal(read(scene.path("k")), b"1")
        check_equal(read(scene.path("a")), b'{"k": "1"}')
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def the_class_of_the_file_that_was_chosen_is_read_again():
    two = class_text(object_text("a", "jmesPath: []"), name="one") + "---\n" + \
        class_text(object_text("b", "jmesPath: []"), name="two")
    with work_directory() as directory, FakeAws(directory) as aws:
        aws.put("a", "1")
        aws.put("b", "2")
        aws.put("c", "3")
        path = write_file(os.path.join(directory, "c.yaml"), two)
        with mounted_at(directory, path, "--class", "two", "--ttl", "1h",
                        env=aws.environment()) as mount:
            scene = Scene(aws, mount, path)
            check_equal(read(scene.path("b")), b"2")
            check_error(scene.path("a"), "ENOENT")
            scene.reload(two.replace("objectName: b", "objectName: c"))
            check_equal(read(scene.path("c")), b"3")
            check_error(scene.path("b"), "ENOENT")
            scene.reload(class_text(object_text("a", "jmesPath: []"),
                                    name="one"), says=KEPT)
            check("has no class named 'two'" in mount.log_text(), "reason")
            check_equal(read(scene.path("c")), b"3")


@case
def a_read_that_waits_ends_as_the_class_said_when_it_began():
    with _scene(object_text("a", "jmesPath: []"), a="1", b="2") as scene:
        scene.aws.hold("a")
        results = []
        reader = threading.Thread(
            target=lambda: results.append(read(scene.path("a"))))
        reader.start()
        scene.aws.wait_for_held("a")
        scene.reload(class_text(object_text("a", "jmesPath: []"),
                                object_text("b")))
        scene.aws.release("a")
        reader.join(30)
        check_equal(results, [b"1"])
        check_equal(read(scene.path("b")), b"2")


@case
def a_mount_without_a_class_ignores_SIGHUP():
    with work_directory() as directory:
        top = os.path.join(directory, "secrets.d")
        write_file(os.path.join(top, "a"), "1")
        with mounted_at(directory, f"file:{top}") as mount:
            Scene(None, mount, None).reload(says="nothing to read again")
            check_equal(read(mount.path("a")), b"1")


main()
