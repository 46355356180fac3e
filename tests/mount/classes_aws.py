# SPDX-License-Identifier: Apache-2.0
"""Classes over a fake AWS that counts its calls: what each name costs, which
version is asked for, and what one object's failure does to the others."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import FakeAws, secret_arn
from lib.class_text import object_text
from lib.place import work_directory
from lib.reading import check_error, error_of, read
from lib.scene import ClassScene
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

UNKNOWN_VERSION = "00000000-0000-0000-0000-000000000000"


@contextlib.contextmanager
def _scene(**secrets):
    with work_directory() as directory, FakeAws(directory) as aws:
        for name, value in secrets.items():
            aws.put(name, value)
        yield ClassScene(directory, aws)


def _calls(aws, *names):
    return tuple(aws.calls(name) for name in names)


@case
def mounting_asks_nobody():
    with _scene(a="x") as scene, scene.mounted(object_text("a")):
        check_equal(scene.aws.calls(), 0, "AWS calls")


@case
def a_name_of_the_class_needs_its_own_object_only():
    with _scene(a='{"k": "1"}', b='{"k": "2"}', c='{"p": "3"}') as scene:
        with scene.mounted(object_text("a"), object_text("b"), object_text(
                "c", "jmesPath:", "- {path: p, objectAlias: c-p}")) as mount:
            check_equal(read(mount.path("b")), b'{"k": "2"}')
            check_equal(_calls(scene.aws, "a", "b", "c"), (0, 1, 0))
            check_equal(read(mount.path("c-p")), b"3")
            check_equal(_calls(scene.aws, "a", "b", "c"), (0, 1, 1))


@case
def another_name_asks_the_objects_that_expand_and_no_other():
    with _scene(a='{"k": "1"}', b='{"k": "2", "l": "3"}',
                c="x") as scene:
        with scene.mounted(object_text("a"), object_text("b"), object_text(
                "c", "jmesPath: []")) as mount:
            check_equal(read(mount.path("l")), b"3")
            check_equal(_calls(scene.aws, "a", "b", "c"), (1, 1, 0))
            check_equal(read(mount.path("k")), b"1")
            check_error(mount.path("m"), "ENOENT")
            check_equal(_calls(scene.aws, "a", "b", "c"), (1, 1, 0))


@case
def the_first_object_that_expands_wins_and_the_log_says_so_once():
    with _scene(a='{"k": "1"}', b='{"k": "2"}') as scene:
        with scene.mounted(object_text("a"), object_text("b")) as mount:
            check_equal(read(mount.path("k")), b"1")
            for _ in range(2):
                check_equal(sorted(os.listdir(mount.point)), ["a", "b", "k"])
            check_equal(mount.log_text().count("a key is hidden by"), 1)
    with _scene(a='{"k": "1"}', b='{"k": "2"}') as scene:
        with scene.mounted(object_text("b"), object_text("a")) as mount:
            check_equal(read(mount.path("k")), b"2")


@case
def a_name_of_the_class_beats_a_key_of_an_earlier_object():
    with _scene(a='{"b": "key"}', b="whole") as scene:
        with scene.mounted(object_text("a"), object_text(
                "b", "jmesPath: []")) as mount:
            check_equal(read(mount.path("b")), b"whole")
            check_equal(_calls(scene.aws, "a", "b"), (0, 1))


@case
def ls_of_a_thousand_objects_that_list_their_files_makes_no_call():
    names = [f"secret-{i:04}" for i in range(1000)]
    objects = [object_text(name, "jmesPath:",
                           f"- {{path: p, objectAlias: {name}-p}}")
               for name in names]
    with _scene() as scene, scene.mounted(*objects) as mount:
        shown = sorted(os.listdir(mount.point))
        check_equal(shown, sorted([*names, *(f"{n}-p" for n in names)]))
        check_equal(scene.aws.calls(), 0, "AWS calls")
        scene.aws.put("secret-0500", '{"p": "found"}')
        check_equal(read(mount.path("secret-0500-p")), b"found")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def an_object_that_fails_does_not_hide_the_others():
    with _scene(a='{"k": "1"}', b='{"l": "2"}', c="c") as scene:
        scene.aws.fail("a", "denied")
        with scene.mounted(object_text("a"), object_text("b"), object_text(
                "c", "jmesPath: []")) as mount:
            check_error(mount.path("a"), "EACCES")
            check_equal(read(mount.path("c")), b"c")
            check_equal(read(mount.path("l")), b"2")
            # only a could tell
            check_error(mount.path("unknown"), "EACCES")
            check_equal(sorted(os.listdir(mount.point)), ["a", "b", "c", "l"])
            check("AccessDeniedException" in mount.log_text(), "AWS's word")


@case
def the_first_object_s_error_is_the_reader_s():
    with _scene(a="{}", b="{}") as scene:
        scene.aws.fail("b", "denied")
        scene.aws.fail("a", "deleted")
        with scene.mounted(object_text("a"), object_text("b")) as mount:
            # a is gone, so that nobody but b could tell
            check_error(mount.path("key"), "EACCES")


@case
def an_optional_object_that_is_missing_hides_nothing():
    with _scene(b='{"l": "2"}') as scene:
        with scene.mounted(object_text("a", "optional: true"),
                           object_text("b")) as mount:
            check_equal(read(mount.path("l")), b"2")
            check_error(mount.path("a"), "ENOENT")
            check_error(mount.path("m"), "ENOENT")
            check_equal(sorted(os.listdir(mount.point)), ["b", "l"])
            check("cannot fetch" not in mount.log_text(), mount.log_text())


@case
def a_secret_that_is_missing_and_not_optional_is_a_warning():
    with _scene() as scene, scene.mounted(object_text("a")) as mount:
        check_error(mount.path("a"), "ENOENT")
        check("ResourceNotFoundException" in mount.log_text() and
              "cannot fetch" in mount.log_text(), mount.log_text())


@case
def objectVersion_asks_for_that_version():
    with _scene() as scene:
        old = scene.aws.put("a", '{"k": "old"}')
        scene.aws.put("a", '{"k": "new"}')
        with scene.mounted(object_text("a", f"objectVersion: {old}")) as mount:
            check_equal(read(mount.path("k")), b"old")
            check_equal(read(mount.path("a")), b'{"k": "old"}')


@case
def objectVersion_that_is_not_there_is_ENOENT():
    with _scene(a="x") as scene:
        with scene.mounted(object_text(
                "a", f"objectVersion: {UNKNOWN_VERSION}")) as mount:
            check_error(mount.path("a"), "ENOENT")


@case
def objectVersionLabel_asks_for_that_stage_beside_the_current_one():
    with _scene() as scene:
        scene.aws.put("a", "old")
        scene.aws.put("a", "new")
        with scene.mounted(
                object_text("a", "objectAlias: now"),
                object_text("a", "objectAlias: before",
                            "objectVersionLabel: AWSPREVIOUS")) as mount:
            check_equal(read(mount.path("now")), b"new")
            check_equal(read(mount.path("before")), b"old")
            check_equal(scene.aws.calls("a"), 2, "AWS calls")


@case
def objectVersion_and_objectVersionLabel_are_both_sent():
    with _scene() as scene:
        old = scene.aws.put("a", "old")
        scene.aws.put("a", "new")
        with scene.mounted(
                object_text("a", "objectAlias: good",
                            f"objectVersion: {old}",
                            "objectVersionLabel: AWSPREVIOUS"),
                object_text("a", "objectAlias: bad",
                            f"objectVersion: {old}",
                            "objectVersionLabel: AWSCURRENT")) as mount:
            check_equal(read(mount.path("good")), b"old")
            check(error_of(read, mount.path("bad")) != "", "it was served")
            check("not associated" in mount.log_text(), mount.log_text())


@case
def an_ARN_is_asked_for_as_it_is():
    arn = secret_arn("team/a")
    with _scene() as scene:
        scene.aws.put("team/a", '{"k": "v"}')
        with scene.mounted(object_text(arn)) as mount:
            check_equal(read(mount.path("k")), b"v")
            check_equal(sorted(os.listdir(mount.point)),
                        sorted([arn.replace("/", "_"), "k"]))
            check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def two_objects_of_one_secret_share_its_call():
    with _scene(a='{"k": "1", "l": "2"}') as scene:
        with scene.mounted(
                object_text("a", "objectAlias: x", "jmesPath:",
                            "- {path: k, objectAlias: x-k}"),
                object_text("a", "objectAlias: y", "jmesPath:",
                            "- {path: l, objectAlias: y-l}")) as mount:
            check_equal((read(mount.path("x-k")), read(mount.path("y-l"))),
                        (b"1", b"2"))
            check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def layout_tree_asks_for_the_object_of_the_directory_only():
    with _scene(a='{"k": "1"}', b='{"k": "2"}') as scene:
        with scene.mounted(object_text("a"), object_text("b"),
                           parameters=["layout: tree"]) as mount:
            check_equal(sorted(os.listdir(mount.point)), ["a", "b"])
            check_equal(scene.aws.calls(), 0, "AWS calls")
            check_equal(read(mount.path("b", "k")), b"2")
            check_equal(_calls(scene.aws, "a", "b"), (0, 1))
            check_equal(read(mount.path("b", ".value")), b'{"k": "2"}')
            check_equal(sorted(os.listdir(mount.path("b"))), [".value", "k"])
            check_equal(_calls(scene.aws, "a", "b"), (0, 1))
            check_error(mount.path("k"), "ENOENT")


@case
def SecretBinary_is_shown_raw():
    with _scene() as scene:
        scene.aws.put("a", b'{"k": "no key of binary"}\xff')
        with scene.mounted(object_text("a")) as mount:
            check_equal(read(mount.path("a")), b'{"k": "no key of binary"}\xff')
            check_equal(os.listdir(mount.point), ["a"])


@case
def ttl_of_the_class_beats_the_option():
    with _scene(a='{"k": "1"}') as scene:
        with scene.mounted(object_text("a"), parameters=["ttl: 1s"],
                           options=("--ttl", "1h")) as mount:
            read(mount.path("k"))
            before = mount.requests("LOOKUP", name="k")

            def is_asked_again():
                read(mount.path("k"))
                return mount.requests("LOOKUP", name="k") > before
            wait_until(is_asked_again, "the name's time is over")


main()
