# SPDX-License-Identifier: Apache-2.0
"""Metrics and health over HTTP: what is served is what is documented, it is
never a value, and nobody who asks holds anybody up."""

import concurrent.futures
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import DESCRIBE, GET, FakeAws
from lib.class_text import class_text, object_text
from lib.clock import Clock
from lib.metrics import (ask, documented, family_of, parse, port_of, promtool,
                         scrape, value_of, wait_for_metric)
from lib.mounting import Mount, mounted_at
from lib.mounting import mount as run_mount
from lib.place import built, work_directory, write_file
from lib.process import run_ok
from lib.reading import check_error, error_of, read
from lib.scene import (DISTINCT_SECRET, DISTINCT_TEXTS, PASSWORD,
                       aws_directory, aws_mount)
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

TTL_S = 60
MAX_STALE_S = 3600
RETRY_S = 5  # until an address that was taken is tried again
CONNECTIONS_MAX = 16
PER_ADDRESS_MAX = 4


def _plain(name):
    """An object that shows one file."""
    return object_text(name, "jmesPath: []")


def _text(mount):
    return ask(port_of(mount), "/metrics").text


@contextlib.contextmanager
def _timed(*options):
    """A mount of one secret whose time is moved."""
    with work_directory() as directory:
        clock = Clock(directory)
        with aws_mount("--metrics", "0", "--ttl", f"{TTL_S}s", "--max-stale",
                       f"{MAX_STALE_S}s", "--timeout", "2s", *clock.options,
                       *options) as scene:
            yield scene, clock


@case
def what_is_served_is_what_is_documented():
    known = documented()
    with aws_mount("--metrics", "0", "--metrics-keys") as scene:
        read(scene.path("password"))
        wait_for_metric(scene.mount, 3, "object_keys")
        types, samples = parse(_text(scene.mount))
        check_equal(types, {name: one.type for name, one in known.items()})
        seen = set()
        for one in samples:
            family = family_of(one.name, known)
            check(family, one.name, "is of no metric")
            seen.add(family)
            check(one.labels.keys() <= known[family].labels, one)
        # everything has a sample but the classes of a directory
        check_equal(set(known) - seen, {"secretsfs_classes"})
        series = [(one.name, tuple(sorted(one.labels.items())))
                  for one in samples]
        check_equal(len(set(series)), len(series), "samples of one name")


@case
def promtool_has_nothing_to_say_of_it():
    with aws_mount("--metrics", "0", "--metrics-keys") as scene:
        tool = promtool()
        read(scene.path("password"))
        result = subprocess.run([tool, "check", "metrics"],
                                input=_text(scene.mount), text=True,
                                capture_output=True, timeout=60, check=False)
        check_equal((result.returncode, result.stdout + result.stderr),
                    (0, ""))


@case
def no_value_is_told_and_no_key_without_the_wish():
    for options in ([], ["--metrics-keys"]):
        with aws_mount("--metrics", "0", *options,
                       value=DISTINCT_SECRET) as scene:
            read(scene.path("password"))
            wait_for_metric(scene.mount, 3, "object_keys")
            text = _text(scene.mount).replace(scene.directory, "")
            for value in DISTINCT_TEXTS:
                check(value not in text, value, "is told")
            for key in ("username", "password", "port"):
                check_equal(f'key="{key}"' in text, bool(options), key)
                check(options or key not in text, key, "is told")


@case
def calls_are_counted_by_operation_and_outcome():
    with _timed() as (scene, clock):
        mount = scene.mount
        scene.aws.fail("app", "throttled", times=1)
        check_equal(read(scene.path("password")), PASSWORD)
        wait_for_metric(mount, 1, "aws_calls_total", operation=GET,
                        outcome="throttled")
        wait_for_metric(mount, 1, "aws_calls_total", operation=GET,
                        outcome="ok")
        wait_for_metric(mount, 1, "aws_retries_total", operation=GET)
        wait_for_metric(mount, 1, "cache_misses_total")
        wait_for_metric(mount, 1, "fetch_duration_seconds_count",
                        outcome="ok")
        wait_for_metric(mount, 1, "fetch_duration_seconds_bucket",
                        outcome="ok", le="+Inf")
        clock.advance(TTL_S + 1)
        check_equal(read(scene.path("password")), PASSWORD)
        wait_for_metric(mount, 1, "aws_calls_total", operation=DESCRIBE,
                        outcome="ok")
        wait_for_metric(mount, 1, "confirmations_total")
        wait_for_metric(mount, 2, "fetch_duration_seconds_count",
                        outcome="ok")
        wait_for_metric(mount, 0, "aws_calls_in_flight")


@case
def a_secret_ages_and_comes_to_its_end():
    with _timed() as (scene, clock):
        def told(name):
            return value_of(scrape(scene.mount), f"secretsfs_object_{name}",
                            mount=scene.mount.point, file="app",
                            secret="app")
        wait_for_metric(scene.mount, 1, "object_state", state="empty")
        check_equal(told("age_seconds"), None)
        read(scene.path("password"))
        wait_for_metric(scene.mount, 1, "object_state", state="fresh")
        check(0 <= told("age_seconds") < 30, "its age")
        check(0 <= told("next_confirmation_seconds") <= TTL_S, "the next one")
        check_equal(told("in_use"), 1)
        scene.aws.fail("app", "500")
        clock.advance(TTL_S + 1)
        check_equal(read(scene.path("password")), PASSWORD)
        wait_for_metric(scene.mount, 1, "object_state", state="stale")
        age, left = told("age_seconds"), told("expiry_seconds")
        check(TTL_S + 1 <= age < TTL_S + 60, age)
        check(abs(age + left - MAX_STALE_S) < 30, age, left)
        for name in ("cache_stale_total", "fetch_failures_total"):
            wait_until(lambda counter=name: value_of(
                scrape(scene.mount), f"secretsfs_{counter}") >= 1, name)
        clock.advance(MAX_STALE_S)
        check_error(scene.path("password"), "EIO")
        wait_for_metric(scene.mount, 1, "object_state", state="failed")
        check_equal(told("expiry_seconds"), None)


@case
def an_outage_opens_the_breaker_and_leaves_health_alone():
    with aws_mount("--metrics", "0", "--timeout", "2s") as scene:
        scene.aws.refuse_connections()
        wait_until(lambda: error_of(read, scene.path("password")) == "EIO" and
                   value_of(scrape(scene.mount), "secretsfs_breaker_state",
                            state="closed") == 0,
                   "the breaker opens")
        samples = scrape(scene.mount)
        check_equal(value_of(samples, "secretsfs_breaker_state"), 1)
        check(value_of(samples, "secretsfs_endpoint_failures") >= 5, samples)
        for path in ("/healthz", "/readyz"):
            reply = ask(port_of(scene.mount), path)
            check_equal((reply.status, reply.text), (200, "ok\n"), path)


@case
def other_paths_and_methods_are_refused():
    with aws_mount("--metrics", "0") as scene:
        port = port_of(scene.mount)
        for path in ("/", "/metricsx", "/metrics/", "/healthz%00", "/../x"):
            check_equal(ask(port, path).status, 404, path)
        for method in ("POST", "PUT", "DELETE", "TRACE"):
            check_equal(ask(port, "/metrics", method).status, 405, method)
        reply = ask(port, "/metrics", "HEAD")
        check_equal((reply.status, reply.text), (200, ""))
        check_equal(reply.headers["Content-Type"],
                    "text/plain; version=0.0.4; charset=utf-8")
        check(int(reply.headers["Content-Length"]) > 1000, reply)


def _ready(mount):
    return ask(port_of(mount), "/readyz")


def _wait_not_ready(mount, *named):
    reply = wait_until(lambda: (found := _ready(mount)).status == 503 and
                       found, "it is not ready")
    check_equal(len(reply.text.splitlines()), 1, reply)
    check(all(one in reply.text for one in named), reply)
    wait_for_metric(mount, 0, "ready")


def _wait_ready(mount):
    wait_until(lambda: _ready(mount).status == 200, "it is ready")
    wait_for_metric(mount, 1, "ready")


@case
def a_class_that_became_wrong_is_not_ready():
    with work_directory() as directory, FakeAws(directory) as aws:
        path = os.path.join(directory, "class.yaml")
        write_file(path, class_text(_plain("app")))
        with mounted_at(directory, path, "--metrics", "0",
                        env=aws.environment()) as mount:
            _wait_ready(mount)
            write_file(path, "nonsense: [")
            os.kill(mount.keeper_pid(), signal.SIGHUP)
            _wait_not_ready(mount, "class file is wrong")
            wait_for_metric(mount, 1, "wrong_class_files")
            write_file(path, class_text(_plain("app")))
            os.kill(mount.keeper_pid(), signal.SIGHUP)
            _wait_ready(mount)
            wait_for_metric(mount, 0, "wrong_class_files")


@contextlib.contextmanager
def _directory_of_classes(*names):
    """The mounts of a class of each of these names, and the directory."""
    with work_directory() as directory, FakeAws(directory) as aws:
        classes = os.path.join(directory, "classes")
        for name in names:
            write_file(os.path.join(classes, f"{name}.yaml"),
                       class_text(_plain("app"), name=name))
        found = Mount(os.path.join(directory, "mnt"),
                      os.path.join(directory, "log"))
        result = run_mount(found.point, classes, "--metrics", "0",
                           env=aws.environment(), log=found.log)
        check_equal((result.code, result.err), (0, ""))
        try:
            yield found, classes
        finally:
            result = found.unmount()
        check_equal(result.code, 0, f"{result}")


@case
def a_directory_of_classes_is_ready_when_all_are_mounted():
    with _directory_of_classes("one", "two") as (mount, classes):
        _wait_ready(mount)
        wait_for_metric(mount, 2, "mounts")
        wait_for_metric(mount, 2, "classes", state="mounted")
        wait_for_metric(mount, 1, "object_state", mount=mount.path("two"),
                        secret="app")
        write_file(os.path.join(classes, "two.yaml"), "nonsense: [")
        _wait_not_ready(mount, "two.yaml")
        os.unlink(os.path.join(classes, "two.yaml"))
        _wait_ready(mount)
        run_ok(built("secretsfs"), "unmount", mount.path("one"))
        _wait_not_ready(mount, "one")


def _answers(port, clock):
    """If not, the address is tried again at once."""
    try:
        return ask(port, "/healthz").status == 200
    except OSError:
        clock.advance(RETRY_S + 1)
        return False


def _bound():
    """A socket at a port that the kernel gives nobody of its own accord, so that
    it stays free when this is closed."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as file:
        given = int(file.read().split()[0])
    while True:
        found = socket.socket()
        with contextlib.suppress(OSError):
            found.bind(("127.0.0.1", random.randrange(given // 2, given)))
            return found
        found.close()


@case
def a_worker_that_follows_serves_there_and_counts_its_restarts():
    with work_directory() as directory:
        with _bound() as free:
            port = free.getsockname()[1]
        clock = Clock(directory)
        with aws_directory() as (work, aws), \
                mounted_at(work, "app", "--metrics", str(port),
                           *clock.options, env=aws.environment(),
                           expect_death=True) as mount:
            read(mount.path("password"))
            wait_until(lambda: _answers(port, clock), "it answers")
            wait_for_metric(mount, 0, "worker_restarts_total")
            for number in (1, 2):
                os.kill(mount.worker_pid(), signal.SIGKILL)
                wait_until(lambda count=number: mount.log_text().count(
                    "serving again") == count, "the next worker")
                wait_until(lambda: _answers(port, clock), "it answers")
                wait_for_metric(mount, number, "worker_restarts_total")
                check_equal(status(mount.point)["restarts"], number)
            check_equal(port_of(mount), port)


def _listening(pid):
    """Addresses in hexadecimal that a process listens at."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            inodes.update(re.findall(r"socket:\[(\d+)\]",
                                     os.readlink(f"/proc/{pid}/fd/{fd}")))
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="utf-8") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        found += [row[1].split(":")[0] for row in rows
                  if row[3] == "0A" and row[9] in inodes]
    return found


def _everyone():
    """As the kernel shows it, with IPv6 and without."""
    return "0" * (32 if os.path.exists("/proc/net/if_inet6") else 8)


@case
def it_listens_where_it_was_told_and_nowhere_by_default():
    for options, wanted in (([], []), (["--metrics", "0"], ["0100007F"]),
                            (["-o", "metrics=:0"], ["0100007F"]),
                            (["--metrics", "0.0.0.0:0"], ["00000000"]),
                            (["--metrics", "[::]:0"], [_everyone()])):
        with aws_mount(*options) as scene:
            check_equal(_listening(scene.mount.worker_pid()), wanted,
                        options)
            check_equal(_listening(scene.mount.keeper_pid()), [], "keeper")


@case
def an_address_that_is_taken_is_a_warning_and_tried_again():
    with work_directory() as directory, FakeAws(directory) as aws, \
            _bound() as taken:
        aws.put("app", "x")
        taken.listen()
        port = taken.getsockname()[1]
        clock = Clock(directory)
        options = ("--metrics", f"127.0.0.1:{port}", *clock.options)
        point = os.path.join(directory, "other")
        result = run_mount(point, "app", *options, env=aws.environment())
        check_equal(result.code, 0, f"{result}")
        check(f"--metrics 127.0.0.1:{port}" in result.err and
              "in use" in result.err, result)
        run_ok(built("secretsfs"), "unmount", point)
        with mounted_at(directory, "app", *options,
                        env=aws.environment()) as mount:
            check_equal(read(mount.path("app")), b"x")
            taken.close()
            wait_until(lambda: _answers(port, clock), "it is tried again")
            check("metrics are served" in mount.log_text(), mount.log_text())
            check_equal(ask(port, "/healthz").status, 200)


def _visit(port, source):
    return socket.create_connection(("127.0.0.1", port), 20, (source, 0))


@case
def who_holds_all_that_an_address_may_leaves_room_for_probes():
    with _timed() as (scene, _), contextlib.ExitStack() as visitors:
        port = port_of(scene.mount)
        for _ in range(PER_ADDRESS_MAX):
            visitors.enter_context(_visit(port, "127.0.0.2"))
        for _ in range(CONNECTIONS_MAX):
            with _visit(port, "127.0.0.2") as beyond:
                check_equal(beyond.recv(1), b"", "it is let in")
        for path in ("/healthz", "/readyz", "/metrics"):
            check_equal(ask(port, path).status, 200, path)


@case
def who_neither_writes_nor_reads_holds_nobody_up():
    with _timed() as (scene, clock), contextlib.ExitStack() as visitors:
        port = port_of(scene.mount)
        for number in range(CONNECTIONS_MAX + 8):
            visitor = visitors.enter_context(
                _visit(port, f"127.0.1.{number // PER_ADDRESS_MAX}"))
            if number % 3 == 0:
                visitor.sendall(b"GET /metrics HTTP/1.1\r\n")
            if number % 3 == 1:
                visitor.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        check_equal(read(scene.path("password")), PASSWORD)
        for _ in range(20):
            check_equal(read(scene.path("password")), PASSWORD)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, port, "/healthz")

            def is_answered():
                clock.advance(11)  # past the time of who is inside
                return asked.done()
            wait_until(is_answered, "there is room again")
            check_equal(asked.result().status, 200)


@case
def it_is_asked_under_load():
    names = [f"s{number}" for number in range(50)]
    with work_directory() as directory, FakeAws(directory) as aws:
        for name in names:
            aws.put(name, name)
        path = write_file(os.path.join(directory, "class.yaml"),
                          class_text(*map(_plain, names)))
        with mounted_at(directory, path, "--ttl", "1s", "--metrics", "0",
                        env=aws.environment()) as mount, \
                concurrent.futures.ThreadPoolExecutor(8) as pool:
            port = port_of(mount)

            def read_all():
                for name in names * 4:
                    check_equal(read(mount.path(name)), name.encode())

            def scrape_all(source):
                for path in ("/metrics", "/healthz", "/readyz") * 20:
                    check_equal(ask(port, path, source=source).status, 200,
                                path)
            work = [pool.submit(read_all) for _ in range(4)]
            work += [pool.submit(scrape_all, f"127.0.0.{number}")
                     for number in range(1, 5)]
            for one in work:
                one.result(60)
            wait_for_metric(mount, len(names), "object_state")
            wait_until(lambda: value_of(
                scrape(mount), "secretsfs_cache_misses_total") >= len(names),
                "misses are counted")


@case
def what_is_beyond_a_thousand_objects_is_counted():
    with work_directory() as directory, FakeAws(directory) as aws:
        names = [f"s{number}" for number in range(1003)]
        path = write_file(os.path.join(directory, "class.yaml"),
                          class_text(*map(_plain, names)))
        with mounted_at(directory, path, "--metrics", "0",
                        env=aws.environment()) as mount:
            wait_for_metric(mount, 1000, "object_state", state="empty")
            wait_for_metric(mount, 3, "objects_left_out")


main()
