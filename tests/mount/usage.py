# SPDX-License-Identifier: Apache-2.0
"""What is wrong is said in one line that names it, and nothing is mounted."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.place import built, is_mounted, mounts, work_directory, write_file
from lib.process import run
from lib.tap import case, check, check_equal, main

# A /dev that has everything but /dev/fuse, for one command.
WITHOUT_DEV_FUSE = """
mount -t tmpfs none "$1" && cp -a /dev/null /dev/zero /dev/urandom "$1" &&
mount --bind "$1" /dev && shift && exec "$@"
"""


def _ours():
    return [point for point, kind in mounts() if kind == "fuse.secretsfs"]


def _check_refused(result, code, *named):
    check_equal(result.code, code, f"exit code of {result}")
    check_equal(len(result.err.splitlines()), 1, f"lines of {result}")
    for word in named:
        check(word in result.err, repr(word), "is named by", result)


def _refuses(code, named, *arguments):
    """Runs secretsfs with POINT and SOURCE in arguments filled in."""
    with work_directory() as directory:
        secret = write_file(os.path.join(directory, "secret.json"), '{"a":1}')
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        words = {"SOURCE": f"file:{secret}", "POINT": point,
                 "ABSENT": os.path.join(directory, "absent")}
        before = _ours()
        result = run(built("secretsfs"),
                     *[words.get(one, one) for one in arguments])
        _check_refused(result, code, words.get(named, named))
        check_equal(_ours(), before, "mounts")
        check_equal(os.listdir(point), [], "the mount point's content")


@case
def an_unknown_option_is_named():
    _refuses(2, "--bogus", "--bogus", "SOURCE", "POINT")
    _refuses(2, "bogus", "-o", "bogus", "SOURCE", "POINT")
    _refuses(2, "-z", "-z", "SOURCE", "POINT")


@case
def a_value_out_of_range_is_named_with_its_option():
    for option, value in (("--ttl", "soon"), ("--ttl", "-1"),
                          ("--ttl", "99999999999d"), ("--timeout", "0"),
                          ("--mode", "9999"), ("--mode", "01777"),
                          ("--dir-mode", "rwx"), ("--owner", "nobody:"),
                          ("--log-level", "loud")):
        _refuses(2, option, option, value, "SOURCE", "POINT")


@case
def an_option_without_its_value_is_named():
    _refuses(2, "--ttl", "SOURCE", "POINT", "--ttl")


@case
def an_empty_mount_point_is_wrong_usage():
    _refuses(2, "MOUNTPOINT is empty", "SOURCE", "")


@case
def too_few_and_too_many_arguments_are_wrong_usage():
    _refuses(2, "SOURCE and MOUNTPOINT are missing")
    _refuses(2, "MOUNTPOINT is missing", "SOURCE")
    _refuses(2, "more", "SOURCE", "POINT", "more")


@case
def a_mount_point_that_is_not_there_is_named():
    _refuses(1, "ABSENT", "SOURCE", "ABSENT")


@case
def a_mount_point_that_is_a_file_is_named():
    with work_directory() as directory:
        secret = write_file(os.path.join(directory, "secret.json"), "{}")
        _check_refused(run(built("secretsfs"), f"file:{secret}", secret), 1,
                       secret)
        check(not is_mounted(secret), "mounted on a file")


@case
def a_source_file_that_is_not_there_is_named():
    with work_directory() as directory:
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        absent = os.path.join(directory, "absent.json")
        _check_refused(run(built("secretsfs"), f"file:{absent}", point), 1,
                       absent)
        check(not is_mounted(point), "mounted")


@case
def a_file_that_would_not_be_shown_is_named():
    with work_directory() as directory:
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        for name in ("app", "app.json", ".hidden", ".json"):
            write_file(os.path.join(directory, name), "{}")
        for name in ("app", ".hidden", ".json"):
            path = os.path.join(directory, name)
            _check_refused(run(built("secretsfs"), f"file:{path}", point), 1,
                           path)
        check(not is_mounted(point), "mounted")


@case
def a_class_file_that_is_not_there_is_named():
    _refuses(1, "app.yaml", "./app.yaml", "POINT")


@case
def AWS_without_a_region_is_told():
    with work_directory() as directory:
        point = os.path.join(directory, "mnt")
        os.mkdir(point)
        result = run(built("secretsfs"), "app", point)
        _check_refused(result, 1, "region")
        check(not is_mounted(point), "mounted")


@case
def a_machine_without_dev_fuse_is_told():
    with work_directory() as directory:
        secret = write_file(os.path.join(directory, "secret.json"), "{}")
        point = os.path.join(directory, "mnt")
        dev = os.path.join(directory, "dev")
        os.mkdir(point)
        os.mkdir(dev)
        result = run("unshare", "-m", "--propagation", "private",
                     "sh", "-c", WITHOUT_DEV_FUSE, "sh", dev,
                     built("secretsfs"), f"file:{secret}", point)
        _check_refused(result, 1, "/dev/fuse")


def _knows_contexts():
    with open("/proc/filesystems", encoding="utf-8") as known:
        return "selinuxfs" in known.read()


@case
def a_context_is_the_kernels_to_refuse():
    context = "system_u:object_r:tmp_t:s0"
    if _knows_contexts():
        with work_directory() as directory:
            secret = write_file(os.path.join(directory, "app.json"), "{}")
            with mounted_at(directory, f"file:{secret}", "-o",
                            f"context={context}") as mount, \
                    open("/proc/self/mountinfo", encoding="utf-8") as table:
                check(any(f"context={context}" in line for line in table
                          if f" {mount.point} " in line), "no context")
        return
    _refuses(1, "--context, which needs SELinux", "--context", context,
             "SOURCE", "POINT")
    _refuses(1, "Unknown parameter", "-o", f'context="{context}"', "SOURCE",
             "POINT")


@case
def help_fits_a_screen_and_goes_to_standard_output():
    result = run(built("secretsfs"), "--help")
    lines = result.out.decode().splitlines()
    check_equal((result.code, result.err), (0, ""))
    check(len(lines) <= 24, len(lines), "lines")
    check(max(map(len, lines)) <= 80, "columns")
    version = run(built("secretsfs"), "--version")
    check_equal(version.code, 0)
    check(b"secretsfs" in version.out, version.out)


@case
def unmount_of_what_is_not_ours_is_refused():
    with work_directory() as directory:
        _check_refused(run(built("secretsfs"), "unmount", directory), 1,
                       directory)
        check_equal(run(built("secretsfs"), "unmount").code, 2)
        check_equal(run(built("secretsfs"), "unmount", "a", "b").code, 2)


@case
def options_may_be_o_words_in_any_place():
    with work_directory() as directory:
        secret = write_file(os.path.join(directory, "secret.json"),
                            '{"a":1}')
        with mounted_at(directory, f"file:{secret}", "-o",
                        "ttl=5m,mode=0444,ro,nosuid") as mount:
            found = os.stat(mount.path("a"))
            check_equal(found.st_mode & 0o777, 0o444)


@case
def the_mount_is_read_only_without_devices_and_programs():
    with work_directory() as directory:
        secret = write_file(os.path.join(directory, "secret.json"), "{}")
        with mounted_at(directory, f"file:{secret}") as mount:
            with open("/proc/self/mountinfo", encoding="utf-8") as table:
                line = next(one for one in table
                            if f" {mount.point} " in one)
            options = line.split()[5].split(",")
            for word in ("ro", "nosuid", "nodev", "noexec", "noatime"):
                check(word in options, word, "in", line)
            check(" fuse.secretsfs " in line, line)
            check("default_permissions" in line, line)


main()
