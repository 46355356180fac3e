# SPDX-License-Identifier: Apache-2.0
"""What programs that people watch files with notice of rotations.

All of them watch one mount with real time-outs: ten TTLs without an open and
without a change, and then three rotations.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, sys.path[0] + "/..")

from lib.process import environment
from lib.reading import read
from lib.scene import PASSWORD, aws_mount
from lib.tap import Skip, case, check, check_equal, main
from lib.wait import wait_until

TTL = 1
ROTATIONS = 3
READY = "ready"

# Where Debian keeps modules, also for a node of another vendor.
NODE_PATH = "/usr/share/nodejs"
SYSTEM_PYTHON = "/usr/bin/python3"

CHOKIDAR = """
const chokidar = require('chokidar');
chokidar.watch(process.argv[1], { ignoreInitial: true })
    .on('all', (event) => console.log(event))
    .on('ready', () => console.log('ready'));
"""

WATCHDOG = """
import os, sys, threading
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
class Handler(FileSystemEventHandler):
    def on_any_event(self, event):
        if event.event_type in ("opened", "closed"):
            return  # somebody reads
        for path in (event.src_path, getattr(event, "dest_path", "")):
            if os.path.basename(path) == "password":
                print(event.event_type, flush=True)
observer = Observer()
observer.schedule(Handler(), sys.argv[1])
observer.start()
print("ready", flush=True)
threading.Event().wait()
"""


def _can_run(*arguments):
    try:
        return subprocess.run(arguments, env=environment(
            {"NODE_PATH": NODE_PATH}), stdin=subprocess.DEVNULL,
            capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _inotifywait(point):
    if not shutil.which("inotifywait"):
        return None
    return ("inotifywait", "--monitor", "--format", "%e %f", "--event",
            "modify,attrib,close_write,move,create,delete", point)


def _chokidar(point):
    if not _can_run("node", "-e", "require('chokidar')"):
        return None
    return ("node", "-e", CHOKIDAR, os.path.join(point, "password"))


def _watchdog(point):
    for python in (sys.executable, SYSTEM_PYTHON):
        if _can_run(python, "-c", "import watchdog"):
            return (python, "-c", WATCHDOG, point)
    return None


class _Watcher:
    """A program that prints a line for whatever it notices."""

    def __init__(self, arguments):
        self.process = subprocess.Popen(
            arguments, env=environment({"NODE_PATH": NODE_PATH}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def is_ready(self):
        return any(line in (READY, "Watches established.")
                   for line in self.lines)

    def noticed(self):
        return [line for line in self.lines
                if line != READY and not line.startswith(
                    ("Setting up", "Watches established"))]

    def end(self):
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()


PROGRAMS = {"inotifywait": _inotifywait, "chokidar": _chokidar,
            "watchdog": _watchdog}

# What each says of a file that was replaced.
NEWS = {"MOVED_TO password", "change", "moved"}


def _wait_quietly(scene, watchers):
    """Ten TTLs; what each watcher noticed of them."""
    end = time.monotonic() + 10 * TTL
    calls = scene.aws.calls()
    while time.monotonic() < end:
        time.sleep(0.1)
    wait_until(lambda: scene.aws.calls() >= calls + 10,
               "ten confirmations")
    return {name: one.noticed() for name, one in watchers.items()}


def _rotate(scene, watchers, number):
    """Which of the watchers notice the next version."""
    before = {name: len(one.noticed()) for name, one in watchers.items()}

    def missing():
        return [name for name, one in watchers.items()
                if not NEWS & set(one.noticed()[before[name]:])]
    scene.aws.put("app", json.dumps({"password": f"new {number}"}))
    end = time.monotonic() + 10 * TTL
    while missing() and time.monotonic() < end:
        time.sleep(0.05)
    # a watcher may have more to say, and chokidar waits before it goes on
    time.sleep(0.3)
    return set(watchers) - set(missing())


@functools.cache
def _outcome():
    """Of each watcher: what it noticed before, and of how many rotations."""
    with aws_mount("--ttl", f"{TTL}s") as scene:
        wait_until(lambda: "notifier mount=0 pid=" in scene.mount.log_text(),
                   "a notifier")
        check_equal(read(scene.path("password")), PASSWORD)
        commands = {name: program(scene.mount.point)
                    for name, program in PROGRAMS.items()}
        watchers = {name: _Watcher(command)
                    for name, command in commands.items() if command}
        try:
            for name, one in watchers.items():
                wait_until(one.is_ready, f"{name} watches", 30)
            quiet = _wait_quietly(scene, watchers)
            seen = [_rotate(scene, watchers, number)
                    for number in range(ROTATIONS)]
            for name, one in watchers.items():
                print(f"# {name}: {one.noticed()}", flush=True)
        finally:
            for one in watchers.values():
                one.end()
    return {name: (quiet[name], sum(name in one for one in seen))
            for name in watchers}


def _check(name, package):
    if not PROGRAMS[name]("/"):
        raise Skip(f"{package} is not there")
    quiet, noticed = _outcome()[name]
    check(not quiet, "noticed without a change:", quiet)
    check_equal(noticed, ROTATIONS, "rotations noticed")


@case
def inotifywait_on_the_directory_notices_each_rotation():
    _check("inotifywait", "inotify-tools")


@case
def chokidar_on_the_file_notices_each_rotation():
    _check("chokidar", "node-chokidar")


@case
def watchdog_on_the_directory_notices_each_rotation():
    _check("watchdog", "python3-watchdog")


main()
