#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives secretsfs-keeper with a stand-in worker, on real mounts.

Each test has a directory of its own with copies of the programs in it, so
that its processes are known by their executables and ended by their ids.
What a test leaves mounted is unmounted, also where it failed.
"""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = pathlib.Path(os.environ.get("SECRETSFS_BUILD", "."))
CONNECTIONS = pathlib.Path("/sys/fs/fuse/connections")
RUNTIME = pathlib.Path("/run/secretsfs")
PATIENCE_S = 40
NOBODY = 65534
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36
MAGIC = 0x73667331
UNMOUNT = 7
SYS_ADMIN, SETUID, SETGID, KILL, DAC_OVERRIDE = 21, 7, 6, 5, 1

libc = ctypes.CDLL(None, use_errno=True)


def eventually(condition, what):
    """Waits, within bounds, until condition() is true; returns its value."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("never happened: " + what)


def is_asking(process):
    """Whether the process waits for an answer of the file system."""
    stack = pathlib.Path(f"/proc/{process.pid}/stack").read_text()
    return "request_wait_answer" in stack


def reap():
    """Orphans come to us: see main()."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class Lab:
    """A directory with programs and a mount point."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="secretsfs-keeper-"))
        self.root.chmod(0o755)
        self.mount_point = self.root / "mnt"
        self.mount_point.mkdir()
        self.started = []
        for source, name in (("secretsfs", "secretsfs"),
                             ("secretsfs-keeper", "secretsfs-keeper"),
                             ("secretsfs-notifier", "secretsfs-notifier"),
                             ("tests/stub_worker", "secretsfs-worker")):
            shutil.copy(BUILD / source, self.root / name)

    def keeper_command(self, way, *options, mount_point=None):
        return [str(self.root / "secretsfs-keeper"),
                "--mount-point", str(mount_point or self.mount_point),
                "--worker-uid", str(NOBODY), "--worker-gid", str(NOBODY),
                *options, "--", way]

    def run(self, command, **more):
        return subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE_S * 3, **more)

    def keeper(self, way, *options, mount_point=None, **more):
        """Runs a keeper in the background; what the command said."""
        return self.run(self.keeper_command(way, *options,
                                            mount_point=mount_point), **more)

    def foreground(self, way, *options, **more):
        process = subprocess.Popen(
            self.keeper_command(way, "--foreground", *options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **more)
        self.started.append(process)
        return process

    def serving(self, way, *options, **more):
        """A foreground keeper whose mount is there."""
        process = self.foreground(way, *options, **more)
        eventually(lambda: self.mounts() or process.poll() is not None,
                   "the mount")
        assert process.poll() is None, process.communicate()
        return process

    def background(self, command, **more):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **more)
        self.started.append(process)
        return process

    def command(self, *arguments, **more):
        return self.run([str(self.root / "secretsfs"), *map(str, arguments)],
                        **more)

    def mounts(self):
        """The lines of mountinfo below this directory."""
        table = pathlib.Path("/proc/self/mountinfo").read_text()
        return [line.split() for line in table.splitlines()
                if line.split()[4].startswith(str(self.root) + "/")]

    def socket(self):
        return RUNTIME / (self.mounts()[-1][0] + ".sock")

    def processes(self, name):
        """The ids of those that run a program of this directory."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if os.readlink(entry / "exe") == str(self.root / name):
                    found.append(int(entry.name))
        return found

    def worker(self):
        found = eventually(lambda: self.processes("secretsfs-worker"),
                           "a worker")
        assert len(found) == 1, found
        return found[0]

    def background_keeper(self):
        # A child of it is another one until it has executed its program.
        return eventually(lambda: self._only("secretsfs-keeper"),
                          "one keeper")

    def _only(self, name):
        found = self.processes(name)
        return found[0] if len(found) == 1 else None

    def all_processes(self):
        reap()
        return (self.processes("secretsfs-keeper") +
                self.processes("secretsfs-notifier") +
                self.processes("secretsfs-worker"))

    def check_nothing_left(self, socket_path=None):
        eventually(lambda: not self.all_processes(), "the processes' end")
        assert not self.mounts(), self.mounts()
        if socket_path:
            assert not socket_path.exists(), socket_path

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for _ in range(100):
            for line in self.mounts():
                libc.umount2(line[4].encode(), MNT_DETACH)
            running = self.all_processes()
            if not running and not self.mounts():
                break
            for pid in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        if not self.mounts():
            shutil.rmtree(self.root)


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def environment_of(pid):
    raw = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    return dict(item.split("=", 1)
                for item in raw.decode().split("\0") if item)


def command_line_of(pid):
    raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return raw.decode().split("\0")[:-1]


def check_refusal(result, code, *words):
    """One line on standard error that holds the words, and that code."""
    lines = result.stderr.splitlines()
    assert result.returncode == code, (result.returncode, result.stderr)
    assert len(lines) == 1, lines
    assert lines[0].startswith("secretsfs: "), lines
    for word in words:
        assert word in lines[0], (word, lines)
    assert result.stdout == "", result.stdout


def finish(process):
    _, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, errors


def mounts_serves_and_unmounts(lab):
    result = lab.keeper("serve")
    assert (result.returncode, result.stderr) == (0, ""), result
    (line,) = lab.mounts()
    options = set(line[5].split(","))
    assert options >= {"ro", "nosuid", "nodev", "noexec", "noatime"}, line
    tail = line[line.index("-") + 1:]
    assert tail[:2] == ["fuse.secretsfs", "secretsfs:stub\\040source"], line
    assert "default_permissions" in tail[2], line
    assert "allow_other" not in tail[2], line
    assert os.listdir(lab.mount_point) == []
    path = lab.socket()
    assert path.stat().st_mode & 0o777 == 0o600
    assert RUNTIME.stat().st_mode & 0o777 == 0o755
    result = lab.command("unmount", lab.mount_point)
    assert (result.returncode, result.stderr) == (0, ""), result
    lab.check_nothing_left(path)


def lets_others_in_only_when_asked(lab):
    assert lab.keeper("serve", "--allow-other").returncode == 0
    assert "allow_other" in lab.mounts()[0][-1]


def says_why_the_worker_cannot_start(lab):
    check_refusal(lab.keeper("fail"), 5, "no such?class")
    lab.check_nothing_left()
    check_refusal(lab.keeper("fail", "--foreground"), 5, "no such?class")
    lab.check_nothing_left()


def says_why_the_worker_cannot_serve(lab):
    check_refusal(lab.keeper("fail-late"), 6, "cannot serve")
    lab.check_nothing_left()


def says_how_the_worker_died_at_its_start(lab):
    check_refusal(lab.keeper("die"), 1, "exit status 3")
    check_refusal(lab.keeper("die-late"), 1, "exit status 7")
    lab.check_nothing_left()


def passes_a_warning_on_as_one_line(lab):
    result = lab.keeper("warn")
    check_refusal(result, 0, "secretsfs: warning: mind?[2J?this")
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left()


def ends_a_worker_that_never_stops_warning(lab):
    result = lab.keeper("babble")
    lines = result.stderr.splitlines()
    assert (result.returncode, len(lines)) == (1, 17), result
    assert "does not send" in lines[-1], lines[-1]
    lab.check_nothing_left()


def refuses_a_worker_that_sends_nonsense(lab):
    check_refusal(lab.keeper("nonsense"), 1, "does not send")
    check_refusal(lab.keeper("two"), 1, "does not send")
    lab.check_nothing_left()


def names_a_mount_point_that_cannot_be_one(lab):
    missing = lab.root / "missing"
    check_refusal(lab.keeper("serve", mount_point=missing), 1,
                  str(missing), "No such file")
    file = lab.root / "file"
    file.write_text("")
    check_refusal(lab.keeper("serve", mount_point=file), 1,
                  str(file), "Not a directory")
    link = lab.root / "link"
    link.symlink_to("mnt")
    check_refusal(lab.keeper("serve", mount_point=link), 1, str(link))
    # nor where whoever owns what is above has led the path elsewhere
    (lab.root / "other" / "mnt").mkdir(parents=True)
    above = lab.root / "above"
    above.symlink_to("other")
    for options in (), ("--folder",):
        check_refusal(lab.keeper("serve", *options,
                                 mount_point=above / "mnt"), 1, str(above),
                      "a symbolic link leads there")
    lab.check_nothing_left()


def names_dev_fuse_when_it_is_missing(lab):
    hide = ["unshare", "-m", "sh", "-c",
            "mount -t tmpfs none /dev && exec \"$@\"", "sh"]
    check_refusal(lab.run(hide + lab.keeper_command("serve")), 1,
                  "/dev/fuse", "No such file")
    lab.check_nothing_left()


def refuses_a_dev_fuse_that_is_none(lab):
    hide = ["unshare", "-m", "sh", "-c",
            "mount --bind /dev/null /dev/fuse && exec \"$@\"", "sh"]
    check_refusal(lab.run(hide + lab.keeper_command("serve")), 1, "mounting")
    lab.check_nothing_left()


def names_the_worker_when_it_is_missing(lab):
    worker = lab.root / "secretsfs-worker"
    worker.chmod(0o700)
    check_refusal(lab.keeper("serve"), 1, "secretsfs-worker",
                  "Permission denied")
    worker.unlink()
    check_refusal(lab.keeper("serve"), 1, str(worker), "No such file")
    lab.check_nothing_left()


def runs_a_worker_from_a_closed_directory(lab):
    lab.root.chmod(0o700)
    assert lab.keeper("serve").returncode == 0
    assert lab.command("unmount", lab.mount_point).returncode == 0


def names_a_log_file_that_cannot_be_opened(lab):
    path = lab.root / "missing" / "log"
    check_refusal(lab.keeper("serve", "--log-file", str(path)), 1, str(path))
    lab.check_nothing_left()


def unmounts_while_the_worker_hangs(lab):
    assert lab.keeper("serve").returncode == 0
    path = lab.socket()
    os.kill(lab.worker(), signal.SIGSTOP)
    (lab.root / "link").symlink_to("mnt")
    result = lab.command("unmount", "link", cwd=lab.root)
    assert (result.returncode, result.stderr) == (0, ""), result
    lab.check_nothing_left(path)


def another_worker(lab, old):
    """The one that followed, when it serves."""
    def found():
        pids = lab.processes("secretsfs-worker")
        return pids[0] if len(pids) == 1 and pids[0] != old else None
    new = eventually(found, "another worker")
    assert os.listdir(lab.mount_point) == []
    return new


def goes_on_when_the_worker_is_killed(lab):
    process = lab.serving("serve")
    path = lab.socket()
    mount = lab.mounts()
    worker = lab.worker()
    environment = environment_of(worker)
    os.kill(worker, signal.SIGKILL)
    new = another_worker(lab, worker)
    assert lab.mounts() == mount
    assert environment_of(new) == environment
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code == 0, (code, errors)
    assert "error secretsfs-keeper: the worker died, another one follows" \
        in errors, errors
    assert f'pid={worker} cause="signal KILL" pause_ms=0' in errors, errors
    assert f"serving again worker_pid={new}" in errors, errors
    lab.check_nothing_left(path)


def replaces_a_worker_that_stands_still(lab):
    process = lab.serving("serve", "--heartbeat-ms", "900")
    old = lab.worker()
    os.kill(old, signal.SIGSTOP)
    assert os.listdir(lab.mount_point) == []
    assert another_worker(lab, old) != old
    process.terminate()
    code, log = finish(process)
    assert code == 0, log
    assert f"the worker stands still pid={old} limit_ms=900" in log, log
    assert f'pid={old} cause="signal KILL" pause_ms=0' in log, log
    lab.check_nothing_left()


def breaks_the_connection_of_a_worker_that_cannot_be_ended(lab):
    # a container has no such directory
    for place in connections, contextlib.nullcontext:
        process = lab.serving("stuck", "--heartbeat-ms", "900")
        with place():
            reader = lab.background(["stat", str(lab.mount_point / "x")])
            _, complaint = reader.communicate(timeout=PATIENCE_S)
            assert reader.returncode == 1, complaint
            code, log = finish(process)
        assert code == 1, log
        assert "broke a connection" in log, log
        assert "by=abort" in log, log
        lab.check_nothing_left()


def leaves_its_mount_to_another_keeper(lab):
    first = lab.serving("serve")
    path, mounts = lab.socket(), lab.mounts()
    second = lab.foreground("serve", "--take-over", str(path))
    code, log = finish(first)
    assert code == 0, log
    assert "another keeper has taken over" in log, log
    assert os.listdir(lab.mount_point) == []
    assert lab.mounts() == mounts, lab.mounts()
    result = lab.command("unmount", lab.mount_point)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert finish(second)[0] == 0
    lab.check_nothing_left(path)


def goes_on_when_another_keeper_fails_to_take_over(lab):
    first = lab.serving("serve")
    path, mounts = lab.socket(), lab.mounts()
    for way in ("fail", "die-late", "fail-late"):
        second = lab.foreground(way, "--take-over", str(path))
        code, log = finish(second)
        assert code != 0, (way, log)
        assert os.listdir(lab.mount_point) == [], way
        assert lab.mounts() == mounts, (way, lab.mounts())
    result = lab.command("unmount", lab.mount_point)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert finish(first)[0] == 0
    lab.check_nothing_left(path)


def takes_over_no_mount_that_is_not_there(lab):
    result = lab.keeper("serve", "--take-over", str(lab.root / "none"))
    check_refusal(result, 1, "no mount stands there")
    process = lab.serving("serve")
    result = lab.keeper("serve", "--take-over", str(lab.root / "none"))
    check_refusal(result, 1, "taking over from", "No such file")
    process.terminate()
    assert finish(process)[0] == 0
    lab.check_nothing_left()


def a_later_worker_is_started_as_the_first_was(lab):
    given = {**sanitizers(), "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/nowhere"}
    lab.serving("serve", env={**given, "TOKEN": "x"})
    worker = lab.worker()
    line = command_line_of(worker)
    os.kill(worker, signal.SIGKILL)
    new = another_worker(lab, worker)
    assert environment_of(new) == given, environment_of(new)
    assert command_line_of(new) == line
    assert status_of(new)["Uid"].split() == [str(NOBODY)] * 4


def waits_longer_each_time_before_it_starts_another(lab):
    process = lab.serving("serve")
    worker = lab.worker()
    for _ in range(3):
        os.kill(worker, signal.SIGKILL)
        worker = another_worker(lab, worker)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    pauses = [line.rsplit("pause_ms=", 1)[1] for line in errors.splitlines()
              if "pause_ms=" in line]
    assert (code, pauses) == (0, ["0", "100", "200"]), errors


def unmounts_when_too_many_workers_have_died(lab):
    process = lab.serving("serve", "--restarts", "3", "--restarts-at-once")
    path = lab.socket()
    worker = lab.worker()
    for _ in range(2):
        os.kill(worker, signal.SIGKILL)
        worker = another_worker(lab, worker)
    os.kill(worker, signal.SIGKILL)
    code, errors = finish(process)
    assert code == 1, (code, errors)
    assert f'the worker died, unmounting pid={worker} cause="signal KILL" ' \
        'why="too many have died"' in errors, errors
    lab.check_nothing_left(path)


def unmounts_when_workers_give_up_or_talk_nonsense(lab):
    for way, words in (("give-up", 'reason="out of luck"'),
                       ("nonsense-late", "does not send")):
        code, errors = finish(lab.foreground(way, "--restarts", "3",
                                             "--restarts-at-once"))
        assert code == 1, (code, errors)
        assert errors.count(words) == 3, errors
        assert "the worker died, unmounting" in errors, errors
        lab.check_nothing_left()


def missing_file(lab, options):
    """A keeper whose worker was killed when its file was gone."""
    path = lab.root / "needed"
    path.write_text("")
    process = lab.serving(f"while:{path}", *options)
    worker = lab.worker()
    path.unlink()
    os.kill(worker, signal.SIGKILL)
    return process, path


def tries_again_until_a_worker_starts(lab):
    log = lab.root / "log"
    process, path = missing_file(lab, ("--log-file", str(log)))
    eventually(lambda: 'the worker gave up reason="it is missing"'
               in log.read_text(), "a refusal")
    path.write_text("")
    another_worker(lab, None)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code == 0, (code, errors)
    assert "serving again" in log.read_text(), log.read_text()
    lab.check_nothing_left()


def ends_where_no_worker_starts_any_more(lab):
    process, _ = missing_file(lab, ("--restarts", "4", "--restarts-at-once"))
    code, errors = finish(process)
    assert code == 1, (code, errors)
    assert errors.count("it is missing") == 3, errors
    assert 'why="too many have died"' in errors, errors
    lab.check_nothing_left()


def unmounts_while_no_worker_is_there(lab):
    for how in ("unmount", "signal"):
        process, _ = missing_file(lab, ("--restarts", "0"))
        socket_path = lab.socket()
        began = time.monotonic()
        if how == "unmount":
            result = lab.command("unmount", lab.mount_point)
            assert (result.returncode, result.stderr) == (0, ""), result
        else:
            process.send_signal(signal.SIGTERM)
        code, errors = finish(process)
        assert code == 0, (code, errors)
        assert time.monotonic() - began < PATIENCE_S / 2
        lab.check_nothing_left(socket_path)


def a_reader_that_waits_hears_from_the_next_worker(lab):
    lab.serving("serve")
    worker = lab.worker()
    os.kill(worker, signal.SIGSTOP)
    readers = [subprocess.Popen(["ls", str(lab.mount_point / "nothing")],
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
               for _ in range(2)]
    lab.started.extend(readers)
    # one asks, the other waits for the same name
    eventually(lambda: any(map(is_asking, readers)), "a reader asks")
    os.kill(worker, signal.SIGKILL)
    for reader in readers:
        _, errors = finish(reader)
        assert "No such file" in errors, errors


def a_reader_can_be_killed_while_no_worker_is_there(lab):
    process, _ = missing_file(lab, ("--restarts", "0"))
    reader = subprocess.Popen(["ls", str(lab.mount_point / "nothing")],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    lab.started.append(reader)
    eventually(lambda: is_asking(reader), "the reader asks")
    reader.kill()
    assert reader.wait(PATIENCE_S) == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0


def ends_cleanly_on_a_signal(lab):
    for number in (signal.SIGTERM, signal.SIGINT):
        process = lab.serving("serve")
        path = lab.socket()
        process.send_signal(number)
        code, errors = finish(process)
        assert code == 0, (code, errors)
        assert "info secretsfs-keeper: serving" in errors, errors
        assert "ending signal=" + number.name[3:] in errors, errors
        lab.check_nothing_left(path)


def stays_on_signals_that_are_for_later(lab):
    process = lab.serving("serve")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGUSR1)
    assert os.listdir(lab.mount_point) == []
    assert lab.command("unmount", lab.mount_point).returncode == 0
    assert finish(process)[0] == 0


def fifo_writer(path):
    """A descriptor, or None as long as nobody reads there."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def hears_later_of_a_reload_that_came_too_early(lab):
    hold = lab.root / "hold"
    os.mkfifo(hold)
    hold.chmod(0o644)
    process = lab.foreground(f"held:{hold}", "--restarts", "1")
    lab.worker()
    process.send_signal(signal.SIGHUP)
    writer = eventually(lambda: fifo_writer(hold), "the worker waits")
    code, errors = finish(process)
    os.close(writer)
    assert code == 1, (code, errors)
    assert 'reason="it is to reload"' in errors, errors
    lab.check_nothing_left()


def ends_on_a_signal_while_it_waits_for_the_worker(lab):
    process = lab.foreground("silent")
    lab.worker()
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert (code, errors) == (1, "secretsfs: ended by a signal\n"), errors
    lab.check_nothing_left()


def ends_when_nobody_waits_for_the_start_any_more(lab):
    process = subprocess.Popen(lab.keeper_command("silent"),
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    lab.started.append(process)
    lab.worker()
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == -signal.SIGINT
    lab.check_nothing_left()


def kills_a_worker_that_does_not_stop(lab):
    process = lab.serving("linger")
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code == 0, (code, errors)
    lab.check_nothing_left()


def hears_others_while_the_worker_talks_without_end(lab):
    assert lab.keeper("chatter").returncode == 0
    result = lab.command("unmount", lab.mount_point)
    assert (result.returncode, result.stderr) == (0, ""), result
    lab.check_nothing_left()
    process = lab.serving("chatter")
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code == 0, (code, errors)
    lab.check_nothing_left()


def ends_when_someone_else_unmounts(lab):
    process = lab.serving("serve")
    path = lab.socket()
    # Not lazily: the keeper must not hold the mount busy.
    result = lab.run(["umount", "-i", str(lab.mount_point)])
    assert result.returncode == 0, result
    code, errors = finish(process)
    assert code == 0, (code, errors)
    assert "someone unmounted a mount" in errors, errors
    lab.check_nothing_left(path)


@contextlib.contextmanager
def connections():
    """The directory where connections are aborted."""
    place = CONNECTIONS
    here = not any(place.iterdir()) and \
        libc.mount(b"none", bytes(place), b"fusectl", 0, None) == 0
    try:
        yield place
    finally:
        if here:
            libc.umount2(bytes(place), MNT_DETACH)


def ends_when_the_connection_is_aborted(lab):
    process = lab.serving("serve")
    device = os.minor(os.stat(lab.mount_point).st_dev)
    with connections() as place:
        abort = place / str(device) / "abort"
        if not abort.exists():
            raise Skip("no fusectl file system")
        abort.write_text("1")
    assert finish(process)[0] == 0
    lab.check_nothing_left()


def keeps_four_capabilities_and_no_way_back(lab):
    assert lab.keeper("serve").returncode == 0
    status = status_of(lab.background_keeper())
    kept = 1 << SYS_ADMIN | 1 << SETUID | 1 << SETGID | 1 << KILL
    assert int(status["CapEff"], 16) == kept, status
    # It cannot use the fifth, which is for the notifier.
    assert int(status["CapPrm"], 16) == kept | 1 << DAC_OVERRIDE, status
    assert int(status["CapInh"], 16) == 1 << DAC_OVERRIDE, status
    for name in ("CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status


def leaves_the_worker_nothing(lab):
    assert lab.keeper("serve").returncode == 0
    worker = lab.worker()
    status = status_of(worker)
    assert status["Uid"].split() == [str(NOBODY)] * 4, status["Uid"]
    assert status["Gid"].split() == [str(NOBODY)] * 4, status["Gid"]
    assert status["Groups"].split() == [], status["Groups"]
    assert status["NoNewPrivs"] == "1"
    for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    for name in ("SigBlk", "SigIgn"):
        # All but the two that the C library keeps to itself.
        assert int(status[name], 16) & ~(3 << 31) == 0, (name, status[name])
    links = {int(name): os.readlink(f"/proc/{worker}/fd/{name}")
             for name in os.listdir(f"/proc/{worker}/fd")}
    assert links.pop(3).startswith("socket:"), links
    # The notifier's, while it is on its way.
    for number in [n for n, link in links.items() if "socket:" in link]:
        links.pop(number)
    assert sorted(links.values()) == ["/dev/fuse"] + ["/dev/null"] * 3, links
    limits = pathlib.Path(f"/proc/{worker}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if "core file" in line]
    assert core.split()[4:6] == ["0", "0"], core
    assert os.getsid(worker) == worker


def cuts_the_environment(lab):
    given = {
        "AWS_REGION": "eu-west-1", "HOME": "/root", "TZ": "UTC",
        "https_proxy": "http://proxy", "NO_PROXY": "localhost",
        "PATH": "/bin", "TOKEN": "x", "NOTIFY_SOCKET": "@nobody",
    }
    expected = {key: given[key] for key in (
        "AWS_REGION", "HOME", "TZ", "https_proxy", "NO_PROXY")}
    process = lab.serving("serve", env={**sanitizers(), **given})
    seen = environment_of(lab.worker())
    assert seen == {**sanitizers(), **expected}, seen
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0


def shows_no_credential_while_it_starts(lab):
    secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
    process = lab.background(
        lab.keeper_command("silent"),
        env={**sanitizers(), "AWS_SECRET_ACCESS_KEY": secret})
    assert environment_of(lab.worker())["AWS_SECRET_ACCESS_KEY"] == secret
    keepers = lab.processes("secretsfs-keeper")
    assert process.pid in keepers and len(keepers) == 2, keepers
    for pid in keepers:
        # the one that waits wipes it after it has made the other
        eventually(lambda: secret not in environment_of(pid).values(),
                   f"{pid} shows no credential")


def sanitizers():
    """What a build with sanitizers needs and keeps."""
    return {key: value for key, value in os.environ.items()
            if key in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS")}


def writes_its_log_where_it_is_told(lab):
    path = lab.root / "log"
    assert lab.keeper("serve", "--log-file", str(path),
                      "--log-json").returncode == 0
    keeper = lab.background_keeper()
    targets = {os.readlink(f"/proc/{keeper}/fd/{n}") for n in (0, 1)}
    assert targets == {"/dev/null"}, targets
    assert os.readlink(f"/proc/{keeper}/fd/2") == str(path)
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left()
    messages = [json.loads(line)["message"]
                for line in path.read_text().splitlines()]
    assert messages[0] == "serving" and messages[-1] == "ended", messages
    assert path.stat().st_mode & 0o777 == 0o600


def tells_the_service_manager(lab):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with contextlib.closing(manager):
        manager.settimeout(PATIENCE_S)
        manager.bind(str(lab.root / "notify"))
        process = lab.serving(
            "serve",
            env={**os.environ, "NOTIFY_SOCKET": str(lab.root / "notify")})
        words = manager.recv(4096).decode().splitlines()
    assert words == ["READY=1", f"MAINPID={process.pid}"], words


def takes_off_a_mount_whose_keeper_died(lab):
    process = lab.serving("serve")
    path = lab.socket()
    process.kill()
    finish(process)
    eventually(lambda: not lab.all_processes(), "the worker's end")
    assert len(lab.mounts()) == 1
    result = lab.command("unmount", lab.mount_point)
    check_refusal(result, 0, "keeper was gone")
    lab.check_nothing_left(path)


def stacks_upon_a_mount_whose_keeper_died(lab):
    process = lab.serving("serve")
    process.kill()
    finish(process)
    eventually(lambda: not lab.all_processes(), "the worker's end")
    result = lab.command("app", lab.mount_point)
    assert result.returncode == 0, result
    assert len(lab.mounts()) == 2
    assert os.listdir(lab.mount_point) == []
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left()


def refuses_to_mount_twice(lab):
    assert lab.command("app", lab.mount_point).returncode == 0
    check_refusal(lab.command("app", lab.mount_point), 1,
                  str(lab.mount_point), "already")
    assert len(lab.mounts()) == 1


def refuses_to_unmount_what_is_not_ours(lab):
    check_refusal(lab.command("unmount", lab.mount_point), 1,
                  str(lab.mount_point), "no secretsfs")
    check_refusal(lab.command("unmount", lab.root / "missing"), 1)
    check_refusal(lab.command("unmount"), 2, "usage")
    check_refusal(lab.command("unmount", "-f"), 2, "usage")


def leaves_a_mount_on_top_alone(lab):
    assert lab.keeper("serve").returncode == 0
    path = lab.socket()
    target = str(lab.mount_point).encode()
    assert libc.mount(b"none", target, b"tmpfs", 0, None) == 0
    check_refusal(lab.command("unmount", lab.mount_point), 1, "no secretsfs")
    answer = ask_keeper(path, message(UNMOUNT))
    assert b"another mount stands on this one" in answer, answer
    assert len(lab.mounts()) == 2
    assert libc.umount2(target, 0) == 0
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left(path)


def works_below_a_directory_closed_to_root(lab):
    closed = lab.root / "closed"
    mount_point = closed / "mnt with blank"
    mount_point.mkdir(parents=True)
    os.chown(closed, 12345, 12345)
    closed.chmod(0o700)
    assert lab.keeper("serve", mount_point=mount_point).returncode == 0
    os.kill(lab.background_keeper(), signal.SIGTERM)
    lab.check_nothing_left()


def message(kind, magic=MAGIC):
    return struct.pack("=IIIiI", magic, kind, 0xffffffff, 0, 0)


def ask_keeper(path, data):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        client.send(data)
        return client.recv(4096)


def is_not_moved_by_clients_that_misbehave(lab):
    assert lab.keeper("serve").returncode == 0
    path = lab.socket()
    for data in (b"nonsense", message(UNMOUNT, MAGIC + 1), message(99)):
        assert ask_keeper(path, data) == b"", data
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            silent = stack.enter_context(
                socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            silent.connect(str(path))
        assert os.listdir(lab.mount_point) == []
    eventually(lambda: count_descriptors(lab.background_keeper()) < 20,
               "the clients' sockets closed")
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left(path)


def waits_for_no_keeper_that_hangs(lab):
    assert lab.keeper("serve").returncode == 0
    path = lab.socket()
    keeper = lab.background_keeper()
    os.kill(keeper, signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as stack:
            fill_queue(stack, path)
            began = time.monotonic()
            check_refusal(lab.command("unmount", lab.mount_point), 1,
                          str(lab.mount_point), "timed out")
            check_refusal(lab.command("app", lab.mount_point), 1,
                          str(lab.mount_point), "already")
            assert time.monotonic() - began < PATIENCE_S
    finally:
        os.kill(keeper, signal.SIGCONT)
    assert len(lab.mounts()) == 1
    eventually(lambda: count_descriptors(keeper) < 20, "the queue is empty")
    assert lab.command("unmount", lab.mount_point).returncode == 0
    lab.check_nothing_left(path)


def fill_queue(stack, path):
    """Connects until there is no more place for who waits."""
    for _ in range(100):
        client = stack.enter_context(
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        client.setblocking(False)
        try:
            client.connect(str(path))
        except BlockingIOError:
            return
    raise AssertionError("the queue has no end")


def count_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def gives_the_worker_paths_that_hold_anywhere(lab):
    result = lab.command("--offline", "secrets.d", "--log-file", "log",
                         "file:app.json", "mnt/", cwd=lab.root)
    assert result.returncode == 0, result
    line = command_line_of(lab.worker())
    root = str(lab.root)
    assert f"--offline={root}/secrets.d" in line, line
    assert f"--log-file={root}/log" in line, line
    assert "--owner=0:0" in line, line
    assert line[-3:] == ["--", f"file:{root}/app.json", f"{root}/mnt"], line
    result = lab.command("unmount", "mnt", cwd=lab.root)
    assert (result.returncode, result.stderr) == (0, ""), result


def refuses_sources_that_it_cannot_show(lab):
    (lab.root / "app").write_text("")
    for source, words in (
            ("ssm:x/", "prefixes of SSM are not supported yet"),
            ("vault:x", "secretsmanager:NAME"),
            ("file:", "takes a path"),
            ("app", "file:app")):
        check_refusal(lab.command(source, "mnt", cwd=lab.root), 2,
                      source, words)
    lab.check_nothing_left()


def refuses_users_commands_and_words_that_cannot_be(lab):
    check_refusal(lab.command("--worker-user", "no-such-user", "x", "mnt",
                              cwd=lab.root), 1, "no-such-user")
    check_refusal(lab.command("--worker-user", "root", "x", "mnt",
                              cwd=lab.root), 1, "root")
    check_refusal(lab.command("doctor"), 2, "doctor", "not supported yet")
    check_refusal(lab.command("--ttl", "0", "x", "mnt"), 2, "--ttl")
    check_refusal(lab.command("x", "mnt", cwd=lab.root, user=NOBODY), 1,
                  "XDG_RUNTIME_DIR")
    lab.check_nothing_left()


def names_mount_points_before_it_starts_anything(lab):
    (lab.root / "file").write_text("")
    (lab.root / "link").symlink_to("mnt")
    for name, words in (("missing", "No such file"),
                        ("file", "not a directory"),
                        ("link", "a symbolic link"),
                        ("missing/below", "No such file"),
                        (".", "by its own name")):
        check_refusal(lab.command("x", name, cwd=lab.root), 1, words)
    (lab.root / "secretsfs-keeper").unlink()
    result = lab.command("x", "mnt", cwd=lab.root)
    check_refusal(result, 1, "secretsfs-keeper")
    lab.check_nothing_left()


class Skip(Exception):
    """A test that cannot be done here, with the reason."""


TESTS = [value for value in list(globals().values())
         if callable(value) and getattr(value, "__code__", None)
         and value.__code__.co_varnames[:1] == ("lab",)
         and value.__code__.co_argcount == 1]


def reason_to_skip():
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/fuse"):
        return "needs /dev/fuse"
    if shutil.which("unshare") is None:
        return "needs unshare"
    return None


def run_test(number, test):
    lab = Lab()
    name = test.__name__
    try:
        test(lab)
        print(f"ok {number} - {name}", flush=True)
    except Skip as why:
        print(f"ok {number} - {name} # SKIP {why}", flush=True)
    except Exception:  # a test fails, the others go on
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        print(f"not ok {number} - {name}", flush=True)
    finally:
        lab.close()


def main():
    why = reason_to_skip()
    if why:
        print(f"1..0 # SKIP {why}")
        return 0
    # Keepers in the background become our children, so we can reap them.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Who starts us in the background may have it ignored, by us and by them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"1..{len(TESTS)}", flush=True)
    for number, test in enumerate(TESTS, 1):
        run_test(number, test)
    return 0


if __name__ == "__main__":
    sys.exit(main())
