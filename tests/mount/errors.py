# SPDX-License-Identifier: Apache-2.0
"""Each cause gives the errno that the design names, and in time."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mount, mounted_at
from lib.pki import Authority
from lib.place import is_mounted
from lib.process import run_ok
from lib.reading import check_error, error_of, read, wait_for_content
from lib.scene import PASSWORD, aws_directory, aws_mount
from lib.tap import case, check, check_equal, main
from lib.wait import BUSY_S, Stopwatch

TIMEOUT_S = 1.0


@case
def a_key_that_is_not_there_is_ENOENT():
    with aws_mount() as scene:
        check_error(scene.path("nothing"), "ENOENT")
        check_error(scene.path("x" * 255), "ENOENT")
        check_error(scene.path("x" * 256), "ENAMETOOLONG")
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def a_hidden_name_is_ENOENT_without_a_call():
    with aws_mount() as scene:
        for name in (".Trash", "..x", ".hidden"):
            check_error(scene.path(name), "ENOENT")
        check_equal(scene.aws.calls(), 0, "AWS calls")


@case
def a_secret_that_does_not_exist_is_ENOENT():
    with aws_directory() as (directory, aws):
        with mounted_at(directory, "absent", env=aws.environment()) as mount:
            check_error(mount.path("absent"), "ENOENT")
            check_error(mount.path("password"), "ENOENT")
            run_ok("ls", mount.point)
            check_equal(aws.calls(), 1, "AWS calls")


def _check_fault(fault, wanted):
    """The errno of a cold reader, and that the mount is well afterwards."""
    with aws_mount("--timeout", f"{TIMEOUT_S:.0f}s") as scene:
        scene.aws.fail("app", fault)
        with Stopwatch() as watch:
            check_error(scene.path("password"), wanted)
        check(watch.s < TIMEOUT_S + BUSY_S, fault, "took", watch.s)
        check_equal(os.path.ismount(scene.mount.point), True, fault)
        scene.aws.heal("app")
        wait_for_content(scene.path("password"), PASSWORD)


@case
def no_permission_is_EACCES():
    for fault in ("denied", "kms denied", "undecryptable"):
        _check_fault(fault, "EACCES")


@case
def a_secret_that_is_being_deleted_is_ENOENT():
    _check_fault("deleted", "ENOENT")


@case
def a_silent_server_is_EIO_by_the_deadline():
    _check_fault("silent", "EIO")


@case
def a_slow_server_is_EIO_by_the_deadline():
    _check_fault("slow", "EIO")


@case
def throttling_is_EIO_by_the_deadline():
    _check_fault("throttled", "EIO")


@case
def a_failing_server_is_EIO_by_the_deadline():
    for fault in ("500", "503 without a body", "cut", "hang up"):
        _check_fault(fault, "EIO")


@case
def a_reply_that_is_not_from_AWS_is_EIO():
    for fault in ("bad json", "no value", "html"):
        _check_fault(fault, "EIO")
    _check_fault("huge", "EFBIG")


@case
def a_server_that_refuses_connections_is_EIO():
    with aws_mount("--timeout", "1s") as scene:
        scene.aws.refuse_connections()
        with Stopwatch() as watch:
            check_error(scene.path("password"), "EIO")
        check(watch.s < TIMEOUT_S + BUSY_S, "took", watch.s)
        scene.aws.listen()
        wait_for_content(scene.path("password"), PASSWORD)


@case
def a_certificate_for_another_name_is_EIO():
    with aws_mount("--timeout", "1s") as scene:
        scene.aws.present(*scene.aws.authority.issue(
            "other", "DNS:elsewhere.invalid"))
        check_error(scene.path("password"), "EIO")
        check_equal(scene.aws.calls(), 0, "requests sent to a stranger")


@case
def a_certificate_of_another_authority_is_EIO():
    with aws_mount("--timeout", "1s") as scene:
        stranger = Authority(scene.directory, "stranger")
        scene.aws.present(*stranger.issue("strangers-server"))
        check_error(scene.path("password"), "EIO")
        check_equal(scene.aws.calls(), 0, "requests sent to a stranger")


@case
def a_value_larger_than_64_KiB_is_EFBIG():
    with aws_mount(value="x" * 65537) as scene:
        check_error(scene.path("app"), "EFBIG")


@case
def a_key_of_a_value_that_is_not_JSON_is_EBADMSG():
    with aws_mount(value="plain text") as scene:
        check_error(scene.path("password"), "EBADMSG")
        check_equal(read(scene.path("app")), b"plain text")


@case
def a_definite_error_is_not_retried():
    with aws_mount() as scene:
        scene.aws.fail("app", "denied")
        check_error(scene.path("password"), "EACCES")
        check_error(scene.path("password"), "EACCES")
        check_equal(scene.aws.calls("app"), 1, "AWS calls")


@case
def the_log_has_AWS_words_and_the_request_id():
    with aws_mount() as scene:
        scene.aws.fail("app", "denied")
        check_error(scene.path("password"), "EACCES")
        log = scene.mount.log_text()
        lines = [line for line in log.splitlines()
                 if "AccessDeniedException" in line]
        check(lines, "no line names AWS's code")
        check("is not authorized to perform" in lines[0], lines[0])
        check(any(request_id in log for request_id
                  in scene.aws.request_ids), "no request id in", lines)


@case
def without_credentials_nothing_is_mounted_and_the_line_says_so():
    with aws_directory() as (directory, aws):
        env = aws.environment()
        del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
        # Nothing of the machine's own may be taken instead.
        env["AWS_EC2_METADATA_DISABLED"] = "true"
        result = mount(os.path.join(directory, "mnt"), "app", env=env)
        check_equal(result.code, 1, "exit code")
        check("AWS_ACCESS_KEY_ID" in result.err, result)
        check(not is_mounted(os.path.join(directory, "mnt")), "mounted")


def _write(path, flags):
    fd = os.open(path, flags)
    try:
        os.write(fd, b"x")
    finally:
        os.close(fd)


def _check_all_writes(scene):
    here, new = scene.path("password"), scene.path("new")
    read(here)
    ways = {
        "write": (_write, here, os.O_WRONLY),
        "append": (_write, here, os.O_WRONLY | os.O_APPEND),
        "create": (os.open, new, os.O_WRONLY | os.O_CREAT, 0o600),
        "truncate": (os.truncate, here, 0),
        "rename": (os.rename, here, new),
        "unlink": (os.unlink, here),
        "link": (os.link, here, new),
        "symlink": (os.symlink, "x", new),
        "mkdir": (os.mkdir, new),
        "mknod": (os.mknod, new),
        "chmod": (os.chmod, here, 0o600),
        "chmod root": (os.chmod, scene.mount.point, 0o700),
        "chown": (os.chown, here, 1, 1),
        "utime": (os.utime, here),
        "setxattr": (os.setxattr, here, "user.x", b"y"),
        "removexattr": (os.removexattr, here, "user.x"),
    }
    for name, way in ways.items():
        check_equal(error_of(*way), "EROFS", name)
    check_equal(read(here), PASSWORD, "afterwards")


@case
def every_way_to_write_is_EROFS():
    with aws_mount() as scene:
        _check_all_writes(scene)


@case
def the_worker_itself_refuses_every_way_to_write():
    with aws_mount() as scene:
        # What the kernel refuses by itself reaches the worker now.
        run_ok("mount", "-o", "remount,bind,rw", scene.mount.point)
        _check_all_writes(scene)
        for kind in ("WRITE", "CREATE", "SETATTR", "RENAME", "UNLINK",
                     "LINK", "SYMLINK", "MKDIR", "MKNOD", "SETXATTR",
                     "REMOVEXATTR"):
            check(scene.mount.requests(kind) > 0, kind, "was never asked")


@case
def mounting_makes_no_AWS_call():
    with aws_mount() as scene:
        os.stat(scene.mount.point)
        check_equal(scene.aws.connections, 0, "connections")


@case
def one_connection_serves_many_calls():
    with aws_mount("--ttl", "1s") as scene:
        path = scene.path("password")
        read(path)
        scene.aws.put("app", '{"password": "second"}')
        wait_for_content(path, b"second")
        scene.aws.put("app", '{"password": "third"}')
        wait_for_content(path, b"third")
        check(scene.aws.calls("app") >= 3, "AWS calls")
        check_equal(scene.aws.connections, 1, "connections")


main()
