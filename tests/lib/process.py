# SPDX-License-Identifier: Apache-2.0
"""Programs that a test runs, each ended by its own process id."""

import contextlib
import os
import subprocess
import time

from lib.wait import wait_until

# Longer than any deadline of ours, so that a hang is told from a slow end.
PATIENCE = 60


def environment(more=None):
    """What every program gets: nothing of the caller's that changes tests."""
    kept = ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS",
            "LSAN_OPTIONS", "XDG_RUNTIME_DIR")
    clean = {name: os.environ[name] for name in kept if name in os.environ}
    clean["LC_ALL"] = "C.UTF-8"
    # neither the machine's own credentials nor those of who runs the tests
    clean["AWS_EC2_METADATA_DISABLED"] = "true"
    clean["AWS_CONFIG_FILE"] = "/dev/null"
    clean["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    clean.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    clean.update(more or {})
    return clean


class Result:
    """How a program ended."""

    def __init__(self, arguments, code, out, err, seconds):
        self.arguments = arguments
        self.code = code
        self.out = out
        self.err = err.decode(errors="replace")
        self.seconds = seconds

    def __repr__(self):
        return (f"{self.arguments} ended with {self.code} after "
                f"{self.seconds:.2f} s: {self.err.strip()}")


def run(*arguments, env=None, cwd=None, seconds=PATIENCE):
    """Runs a program to its end, which must come in time."""
    start = time.monotonic()
    done = subprocess.run(arguments, env=environment(env), cwd=cwd,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=seconds, check=False)
    return Result(arguments, done.returncode, done.stdout, done.stderr,
                  time.monotonic() - start)


def run_ok(*arguments, **keywords):
    result = run(*arguments, **keywords)
    if result.code != 0:
        raise AssertionError(result)
    return result


def start(*arguments, env=None, cwd=None):
    """Starts a program whose output nobody needs."""
    return subprocess.Popen(arguments, env=environment(env), cwd=cwd,
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def running(*arguments, env=None, cwd=None):
    """A program for the time of a with block; killed if it is left over."""
    process = start(*arguments, env=env, cwd=cwd)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def status_field(pid, field):
    """A line of /proc/PID/status; None when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return line.split(":", 1)[1].strip()
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def is_alive(pid):
    state = status_field(pid, "State")
    return state is not None and not state.startswith("Z")


def wait_for_end(pid, what, seconds=PATIENCE):
    wait_until(lambda: not is_alive(pid), f"{what} {pid} ends", seconds)
