# SPDX-License-Identifier: Apache-2.0
"""What the environment may not do: have sessions written down, configure the
TLS library, take traffic elsewhere, or show a credential to who looks. And who
may look: root."""

import contextlib
import glob
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import KEY_ID, SECRET_KEY
from lib.attaching import MARK, Worker, attaching
from lib.mounting import mounted_at
from lib.place import built, write_file
from lib.process import environment, run, status_field
from lib.reading import read
from lib.scene import PASSWORD, Scene, aws_directory, write_class
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

TOKEN = "FwoGZXIvYXdzEJr" * 20
NOBODY_LISTENS = "http://127.0.0.1:1"

# Leaves OpenSSL without a single algorithm.
OPENSSL_CONF = """openssl_conf = init
[init]
providers = providers
[providers]
null = nothing
[nothing]
activate = 1
"""


@contextlib.contextmanager
def _scene(**more):
    with aws_directory() as (directory, aws):
        with mounted_at(directory, "app",
                        env=aws.environment(**more)) as mount:
            yield Scene(directory, aws, mount)


def _check_fetch(directory, aws, **more):
    """The other program that speaks TLS."""
    return run(built("secretsfs"), "check", "--fetch",
               write_class(directory, "app"), env=aws.environment(**more))


def _has_no_effect(make_environment, after=lambda directory: None):
    with aws_directory() as (directory, aws):
        more = make_environment(directory)
        with mounted_at(directory, "app",
                        env=aws.environment(**more)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
        after(directory)
        result = _check_fetch(directory, aws, **more)
        check_equal(result.code, 0, f"exit code of {result}")
        after(directory)


@case
def no_tls_session_is_written_down():
    def keylog(directory):
        return os.path.join(directory, "keys")

    def check_none(directory):
        check(not os.path.exists(keylog(directory)), "keys were written")

    def sslkeylogfile(directory):
        # where the worker's user could write
        os.chmod(directory, 0o777)
        return {"SSLKEYLOGFILE": keylog(directory)}
    _has_no_effect(sslkeylogfile, check_none)


@case
def openssl_is_not_configured_from_outside():
    _has_no_effect(lambda directory: {
        "OPENSSL_CONF": write_file(os.path.join(directory, "openssl.cnf"),
                                   OPENSSL_CONF)})


@case
def no_proxy_is_asked():
    _has_no_effect(lambda _: {name: NOBODY_LISTENS for name in (
        "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")})


@case
def other_certificates_are_not_trusted_from_outside():
    _has_no_effect(lambda directory: {
        "SSL_CERT_FILE": os.path.join(directory, "nothing"),
        "SSL_CERT_DIR": os.path.join(directory, "nothing"),
        "CURL_CA_BUNDLE": os.path.join(directory, "nothing")})


def _program(pid):
    return os.readlink(f"/proc/{pid}/exe")


def _processes(mount):
    wait_until(lambda: "notifier mount=0 pid=" in mount.log_text(),
               "a notifier")
    keeper = mount.keeper_pid()
    with open(f"/proc/{keeper}/task/{keeper}/children",
              encoding="ascii") as file:
        children = [*map(int, file.read().split())]
    # one that was made just now has all of the keeper's yet
    wait_until(lambda: _program(keeper) not in map(_program, children),
               "each runs a program of its own", 20)
    return [keeper, *children]


@case
def the_linker_of_worker_and_notifier_is_told_nothing():
    # LD_PRELOAD would come the same way; this one is seen without a library
    with aws_directory() as (directory, aws):
        os.chmod(directory, 0o777)
        told = os.path.join(directory, "linker")
        with mounted_at(directory, "app", env=aws.environment(
                LD_DEBUG="files", LD_DEBUG_OUTPUT=told)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
            for pid in _processes(mount)[1:]:
                check(not os.path.exists(f"{told}.{pid}"), pid, "was told")
            check(glob.glob(f"{told}.*"), "nobody was told")


# What libc, OpenSSL and their kin would listen to, beyond what is above.
_OTHERS = {name: "/nowhere" for name in (
    "LD_LIBRARY_PATH", "LD_AUDIT", "OPENSSL_MODULES", "OPENSSL_ENGINES",
    "OPENSSL_ia32cap", "GCONV_PATH", "LOCPATH", "NLSPATH", "TZDIR", "TMPDIR",
    "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "MALLOC_TRACE", "CURL_HOME",
    "CURL_SSL_BACKEND", "QLOGDIR", "NODE_OPTIONS", "ALL_PROXY", "all_proxy")}
_OTHERS["GLIBC_TUNABLES"] = "glibc.malloc.check=3"

_KEPT = ("AWS_", "HOME=", "NODE_NAME=", "TZ=", "http_proxy=", "https_proxy=",
         "no_proxy=", "HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY=",
         "ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=")


@case
def nothing_that_is_not_named_reaches_worker_or_notifier():
    with _scene(**_OTHERS) as scene:
        check_equal(read(scene.path("password")), PASSWORD)
        for pid in _processes(scene.mount)[1:]:
            with open(f"/proc/{pid}/environ", "rb") as file:
                shown = file.read().decode().split("\0")
            # what was overwritten is empty
            odd = [one for one in shown if one and not one.startswith(_KEPT)]
            check(not odd, pid, "has", odd)


def _shown(pid):
    """Which credentials its environment shows."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        shown = file.read()
    return [one for one in (SECRET_KEY, TOKEN) if one.encode() in shown]


@case
def no_environment_shows_a_credential():
    with _scene(AWS_SESSION_TOKEN=TOKEN) as scene:
        pids = _processes(scene.mount)
        check(len(pids) >= 3, pids)
        for pid in pids:
            check_equal(_shown(pid), [], f"shown by {pid}")


_CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY":
                SECRET_KEY, "AWS_SESSION_TOKEN": TOKEN}


@case
def a_keeper_that_awaits_its_worker_shows_no_credential():
    with attaching(variables=_CREDENTIALS) as lab:
        wait_until(lambda: not _shown(lab.keeper.pid), "nothing is shown", 20)
        check_equal(lab.keeper.poll(), None, "the keeper's end")
        worker = lab.attach()
        check_equal(read(lab.path()), MARK)
        check_equal(_shown(worker.process.pid), [], "shown by the worker")


@case
def a_worker_that_awaits_its_keeper_shows_no_credential():
    with attaching(variables=_CREDENTIALS) as lab:
        worker = Worker(lab, socket=os.path.join(lab.directory, "missing"))
        wait_until(lambda: not _shown(worker.process.pid), "nothing is shown",
                   20)
        check_equal(worker.process.poll(), None, "the worker's end")


@case
def the_next_worker_has_the_credentials_as_well():
    with aws_directory() as (directory, aws):
        with mounted_at(directory, "app", "--ttl", "1s", expect_death=True,
                        env=aws.environment()) as mount:
            first = mount.worker_pid()
            os.kill(first, 9)
            wait_until(lambda: mount.log_text().count("serving again") == 1,
                       "another worker")
            check_equal(read(mount.path("password")), PASSWORD)


_LOOK = """
import os, sys
uid, pid = int(sys.argv[1]), sys.argv[2]
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
for look in (lambda: open(f"/proc/{pid}/environ", "rb"),
             lambda: open(f"/proc/{pid}/mem", "rb"),
             lambda: open(f"/proc/{pid}/maps", "rb"),
             lambda: os.listdir(f"/proc/{pid}/fd")):
    try:
        look()
        print("seen")
    except PermissionError:
        pass
"""


@case
def a_process_of_the_same_user_sees_nothing():
    with _scene() as scene:
        read(scene.path("password"))
        worker = scene.mount.worker_pid()
        uid = status_field(worker, "Uid").split()[0]
        check(uid != "0", "the worker is root")
        result = run(sys.executable, "-c", _LOOK, uid, str(worker),
                     env=environment())
        check_equal((result.code, result.out), (0, b""), f"{result}")


@case
def no_process_leaves_a_core():
    with _scene() as scene:
        for pid in _processes(scene.mount):
            with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
                (core,) = [line for line in limits if "core file" in line]
            check_equal(core.split()[4:6], ["0", "0"], f"core of {pid}")
            # who is not dumpable is root's, whoever it runs as
            check_equal(os.stat(f"/proc/{pid}/environ").st_uid, 0)


main()
