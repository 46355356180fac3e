# SPDX-License-Identifier: Apache-2.0
"""Another /etc, for who has a mount namespace of his own."""

import contextlib
import os
import shutil

from lib.place import write_file
from lib.process import run_ok
from lib.tap import Skip


@contextlib.contextmanager
def own_etc(directory):
    """A copy of /etc in its place, for us and what we start."""
    if not os.environ.get("SECRETSFS_ALONE"):
        raise Skip("no mount namespace of our own")
    copy = os.path.join(directory, "etc")
    shutil.copytree("/etc", copy, symlinks=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(copy, "resolv.conf"))
    run_ok("mount", "--bind", copy, "/etc")
    try:
        yield
    finally:
        run_ok("umount", "-l", "/etc")


@contextlib.contextmanager
def known_host(directory, name, address="127.0.0.1"):
    """A name of this machine alone: a thread of libcurl's looks it up."""
    with own_etc(directory):
        write_file("/etc/hosts", f"{address} {name}\n")
        yield
