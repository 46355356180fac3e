# SPDX-License-Identifier: Apache-2.0
"""Where the programs are, and directories for tests to work in."""

import contextlib
import os
import shutil
import tempfile

_TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

SOURCE = os.environ.get("SECRETSFS_SOURCE", _TOP)
BUILD = os.environ.get("SECRETSFS_BUILD", SOURCE)


def built(name):
    """The path of a program in the build directory."""
    return os.path.join(BUILD, name)


def mounts():
    """Mount points of this namespace with their types, in mount order."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        for line in table:
            left, right = line.split(" - ", 1)
            point = left.split()[4].encode().decode("unicode_escape")
            found.append((point, right.split()[0]))
    return found


def is_mounted(path):
    return any(point == path for point, _ in mounts())


def _remove(path):
    """Refuses to delete through something that is still mounted."""
    below = [point for point, _ in mounts() if point.startswith(path + "/")]
    if below:
        raise AssertionError(f"still mounted: {', '.join(below)}")
    shutil.rmtree(path)


@contextlib.contextmanager
def work_directory():
    """A new directory that the worker's user may search; gone afterwards."""
    path = os.path.realpath(tempfile.mkdtemp(prefix="secretsfs-test-"))
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        _remove(path)


def write_file(path, content, mode=0o644):
    """Writes a file the way that editors and kubelet do: by a rename."""
    if isinstance(content, str):
        content = content.encode()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.new~"
    with open(new, "wb") as file:
        file.write(content)
    os.chmod(new, mode)
    os.rename(new, path)
    return path
