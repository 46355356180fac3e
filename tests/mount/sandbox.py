# SPDX-License-Identifier: Apache-2.0
"""The worker's sandbox, on real mounts: it is closed, what is replaced goes on
being read, what lies outside is not, and what is missing is told."""

import contextlib
import os
import shutil
import signal
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME, FakeAws
from lib.class_text import class_text, object_text
from lib.etc import own_etc
from lib.mounting import Mount, mounted_at
from lib.name_server import name_server
from lib.older_kernel import LANDLOCK_CREATE_RULESET, SECCOMP, landlock_abi
from lib.pki import Authority
from lib.place import (SOURCE, built, is_mounted, work_directory,
                       write_file)
from lib.process import run, run_ok, status_field
from lib.reading import check_error, read, wait_for_content
from lib.scene import PASSWORD, aws_directory, aws_mount
from lib.status import status
from lib.tap import Skip, case, check, check_equal, main
from lib.wait import wait_until

ABI_OF_ALL = 6
NAME = "aws.secretsfs.test"
PATIENCE_S = 40.0


def _need_landlock():
    if not landlock_abi():
        raise Skip("this kernel has no Landlock")


def _filters(more):
    """What a process has that has taken on so many, and this one's."""
    return str(int(status_field("self", "Seccomp_filters")) + more)


def _check_fields(pid, **wanted):
    for field, value in wanted.items():
        check_equal(status_field(pid, field).split(), [value] *
                    len(status_field(pid, field).split()), field)


@case
def the_worker_has_nothing_that_it_could_use():
    _need_landlock()
    with aws_mount() as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        pid = scene.mount.worker_pid()
        none = "0" * 16
        check("0" not in status_field(pid, "Uid").split(), "it is root")
        _check_fields(pid, CapEff=none, CapPrm=none, CapInh=none, CapBnd=none,
                      CapAmb=none, NoNewPrivs="1", Seccomp="2",
                      Seccomp_filters=_filters(2))  # the keeper's, its own
        with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
            core = [line for line in limits if "core file" in line]
        check_equal(core[0].split()[4:6], ["0", "0"], "core limits")


@case
def keeper_and_notifier_have_filters_too():
    with aws_mount() as scene:
        pids = status(scene.mount.point)["pids"]
        for who, filters in (("keeper", _filters(1)),
                             ("notifier", _filters(2))):
            pid = pids[who]
            check(pid, "there is no", who)
            wait_until(lambda: status_field(pid, "Seccomp_filters") == filters,
                       f"{who} has {filters} filters", PATIENCE_S)
            _check_fields(pid, NoNewPrivs="1", Seccomp="2")


@case
def status_says_what_is_missing():
    _need_landlock()
    with aws_mount() as scene:
        missing = status(scene.mount.point)["sandboxMissing"]
        if landlock_abi() >= ABI_OF_ALL:
            check_equal(missing, None, "missing")
        else:
            check("Landlock for" in missing, missing)
        shown = run_ok(built("secretsfs"), "status", scene.mount.point)
        check(b"\nsandbox     " in shown.out, shown.out)


def _write_projected(directory, number, token):
    """As kubelet does: all files of the volume change by one rename."""
    version = os.path.join(directory, f"..{number}")
    write_file(os.path.join(version, "token"), token)
    os.symlink(f"..{number}", os.path.join(directory, "..new"))
    os.rename(os.path.join(directory, "..new"),
              os.path.join(directory, "..data"))
    with contextlib.suppress(FileExistsError):
        os.symlink("..data/token", os.path.join(directory, "token"))
    return os.path.join(directory, "token")


@case
def a_token_of_a_projected_volume_can_change_again_and_again():
    with aws_directory() as (directory, aws):
        aws.session_seconds = 1  # every use asks for new keys
        volume = os.path.join(directory, "volume")
        token = _write_projected(volume, 1, "token-1")
        with mounted_at(directory, "app", "--ttl", "1s",
                        env=aws.role_environment(token)) as found:
            check_equal(read(found.path("password")), PASSWORD)
            for number in (2, 3):
                _write_projected(volume, number, f"token-{number}")
                shutil.rmtree(os.path.join(volume, f"..{number - 1}"))
                wait_until(lambda: f"token-{number}" in
                           [one.strip() for one in aws.tokens],
                           f"token {number} is used", PATIENCE_S)
            check(aws.calls(ASSUME) >= 3, "STS calls")


@case
def a_CA_bundle_can_be_replaced():
    with aws_directory() as (directory, aws):
        bundle = os.path.join(directory, "trust", "ca.pem")
        write_file(bundle, _bytes(aws.authority.ca))
        env = aws.environment(AWS_CA_BUNDLE=bundle)
        with mounted_at(directory, "app", "--ttl", "1s", env=env) as found:
            check_equal(read(found.path("password")), PASSWORD)
            other = Authority(directory, "other")
            aws.present(*other.issue("second"))
            write_file(bundle, _bytes(other.ca))
            aws.refuse_connections()
            aws.listen()
            aws.put("app", '{"password": "new"}')
            wait_for_content(found.path("password"), b"new", PATIENCE_S)


@contextlib.contextmanager
def _in_the_root_directory(content):
    path = f"/secretsfs-sandbox-{os.getpid()}.pem"
    try:
        write_file(path, content)
    except OSError as error:
        raise Skip(f"nothing can be written to /: {error}") from error
    try:
        yield path
    finally:
        os.unlink(path)


@case
def a_file_in_the_root_directory_is_warned_of_and_no_other():
    _need_landlock()
    with aws_directory() as (directory, aws), \
            _in_the_root_directory(_bytes(aws.authority.ca)) as bundle:
        env = aws.environment(AWS_CA_BUNDLE=bundle)
        with mounted_at(directory, "app", env=env) as found:
            check_equal(read(found.path("password")), PASSWORD)
            warnings = [line for line in found.log_text().splitlines()
                        if "once it is replaced" in line]
            check_equal(len(warnings), 1, "warnings")
            check(f" file={bundle} hint=" in warnings[0], warnings)


def _bytes(path):
    with open(path, "rb") as file:
        return file.read()


def _write_resolv_conf(server):
    write_file("/etc/resolv.conf",
               f"nameserver {server}\noptions timeout:1 attempts:1\n")


@case
def a_name_server_that_changes_is_asked():
    silent = f"127.77.{os.getpid() % 250}.1"
    known = f"127.77.{os.getpid() % 250}.2"
    with work_directory() as directory, FakeAws(directory) as aws, \
            own_etc(directory):
        aws.put("app", "named")
        aws.present(*aws.authority.issue("named", f"DNS:{NAME}"))
        env = aws.environment(AWS_ENDPOINT_URL=f"https://{NAME}:{aws.port}")
        _write_resolv_conf(silent)
        with mounted_at(directory, "app", "--timeout", "2s",
                        env=env) as found, name_server(known) as server:
            check_error(found.path("app"), "EIO")
            _write_resolv_conf(known)
            # libcurl of some versions remembers for a while who was not there
            wait_for_content(found.path("app"), b"named", 3 * PATIENCE_S)
            check(server.questions, "it was not asked")


def _aws_aside(directory):
    """Where its CA file is, the worker may read everything."""
    aside = os.path.join(directory, "aws")
    os.mkdir(aside)
    return FakeAws(aside)


@contextlib.contextmanager
def _linked_class():
    """A class that is a link to a file in the directory "here"."""
    with work_directory() as directory, _aws_aside(directory) as aws:
        for name in ("one", "two"):
            aws.put(name, name)
        for where, name in (("here", "one"), ("there", "two")):
            write_file(os.path.join(directory, where, "class.yaml"),
                       class_text(object_text(name)))
        link = os.path.join(directory, "link", "class.yaml")
        os.mkdir(os.path.dirname(link))
        os.symlink("../here/class.yaml", link)
        with mounted_at(directory, link, env=aws.environment()) as found:
            yield directory, link, found


def _reload(found, link, target):
    os.symlink(target, f"{link}.new")
    os.rename(f"{link}.new", link)
    before = len(found.log_text())
    os.kill(found.keeper_pid(), signal.SIGHUP)
    return wait_until(lambda: [line for line in
                               found.log_text()[before:].splitlines()
                               if "configuration" in line],
                      "the class is read again", PATIENCE_S)[0]


@case
def a_class_that_moves_outside_is_refused_and_the_reload_says_why():
    _need_landlock()
    with _linked_class() as (directory, link, found):
        check_equal(read(found.path("one")), b"one")
        said = _reload(found, link, "../there/class.yaml")
        check("the old configuration stays in force" in said, said)
        check("lies outside of what could be read when the mount was made: "
              "mount again" in said, said)
        check_equal(read(found.path("one")), b"one")
        write_file(os.path.join(directory, "here", "other.yaml"),
                   class_text(object_text("two")))
        said = _reload(found, link, "../here/other.yaml")
        check("was read again" in said, said)
        check_equal(read(found.path("two")), b"two")


@case
def a_class_that_may_not_be_read_is_not_said_to_lie_outside():
    with _linked_class() as (directory, link, found):
        closed = os.path.join(directory, "here", "closed.yaml")
        write_file(closed, class_text(object_text("two")), mode=0o600)
        said = _reload(found, link, "../here/closed.yaml")
        check("may not read it" in said, said)
        check("outside" not in said, said)


def _mount_without(numbers, directory, aws, *options):
    """On a kernel that lacks these calls."""
    found = Mount(os.path.join(directory, "mnt"),
                  os.path.join(directory, "mnt.log"))
    os.makedirs(found.point, exist_ok=True)
    result = run(sys.executable,
                 os.path.join(SOURCE, "tests", "lib", "older_kernel.py"),
                 ",".join(map(str, numbers)), built("secretsfs"), "--log-file",
                 found.log, *options, "app", found.point,
                 env=aws.environment())
    return found, result


def _check_refusal(numbers, name):
    with aws_directory() as (directory, aws):
        found, result = _mount_without(numbers, directory, aws)
        check_equal(result.code, 1, result)
        check(name in result.err, result)
        check("--insecure-no-sandbox" in result.err, result)
        check_equal(len(result.err.splitlines()), 1, result)
        check(not is_mounted(found.point), "it is mounted")


@case
def without_Landlock_nothing_is_mounted():
    _check_refusal([LANDLOCK_CREATE_RULESET], "Landlock")


@case
def without_seccomp_nothing_is_mounted():
    if SECCOMP is None:
        raise Skip("seccomp has no number that is known here")
    _check_refusal([SECCOMP], "seccomp")


@case
def insecure_mounts_without_and_names_what_is_missing():
    with aws_directory() as (directory, aws):
        found, result = _mount_without([LANDLOCK_CREATE_RULESET], directory,
                                       aws, "--insecure-no-sandbox")
        check_equal(result.code, 0, result)
        try:
            check_equal(read(found.path("password")), PASSWORD)
            check("the sandbox is not whole missing=\"Landlock," in
                  found.log_text(), found.log_text())
            check("Landlock" in status(found.point)["sandboxMissing"],
                  "status")
            # what can be had is there all the same
            # one of the filters is that of older_kernel.py
            _check_fields(found.worker_pid(), NoNewPrivs="1", Seccomp="2",
                          Seccomp_filters=_filters(3))
        finally:
            check_equal(found.unmount().code, 0, "unmount")


main()
