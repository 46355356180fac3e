# SPDX-License-Identifier: Apache-2.0
"""The image: what is in it and what is not, and that it can be made again."""

import contextlib
import hashlib
import json
import os
import stat
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.place import SOURCE, work_directory
from lib.podman import DEBIAN, IMAGE, podman, why_not
from lib.process import run
from lib.tap import Skip, case, check, check_equal, main

_BILL = "usr/share/secretsfs/sbom.spdx.json"
_PROGRAMS = ["usr/bin/secretsfs", "usr/libexec/secretsfs/secretsfs-keeper",
             "usr/libexec/secretsfs/secretsfs-notifier",
             "usr/libexec/secretsfs/secretsfs-worker"]
_SPDX = os.environ.get("SECRETSFS_SPDX", "")

# A build compiles everything.
_BUILD_S = 900


@contextlib.contextmanager
def _podman():
    if why_not():
        raise Skip(why_not())
    with work_directory() as directory, podman(directory) as containers:
        yield containers


@contextlib.contextmanager
def _image():
    """Where its root directory can be looked at."""
    with _podman() as containers:
        containers("create", "--name", "shown", IMAGE)
        yield containers("mount", "shown").out.decode().strip()


def _files(root):
    """Ordinary files by their names below the root directory, with modes."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                found[os.path.relpath(path, root)] = mode
    return found


def _bill(root):
    with open(os.path.join(root, _BILL), encoding="utf-8") as file:
        return json.load(file)


def _layers(containers, image):
    return json.loads(containers("image", "inspect", "--format",
                                 "{{json .RootFS.Layers}}", image).out)


@case
def nothing_can_be_executed_but_what_is_ours():
    with _image() as root:
        found = [name for name, mode in _files(root).items() if mode & 0o111]
        libraries = [name for name in found if ".so" in name]
        check_equal(sorted(set(found) - set(libraries)), _PROGRAMS)
        check(all(name.split("/")[-1].startswith(("ld-linux", "libc.so"))
                  for name in libraries), libraries)
        check_equal([name for name, mode in _files(root).items()
                     if mode & 0o7022], [], "unusual modes")


@case
def programs_find_their_libraries_and_each_other():
    with _podman() as containers:
        options = ("--network", "none", "--read-only")
        inspected = json.loads(containers("image", "inspect", IMAGE).out)[0]
        labels = {name.rsplit(".", 1)[1]: value
                  for name, value in inspected["Labels"].items()
                  if name.startswith("org.opencontainers.image.")}
        said = containers.run(*options, arguments=("secretsfs", "--version"))
        check_equal(said, f"secretsfs {labels['version']}\n")
        check_equal((labels["title"], labels["licenses"],
                     inspected["User"]), ("secretsfs", "Apache-2.0", ""))
        said = containers.run(*options, arguments=(
            "/lib64/ld-linux-x86-64.so.2" if os.uname().machine == "x86_64"
            else "/lib/ld-linux-aarch64.so.1", "--list",
            f"/{_PROGRAMS[-1]}"))
        check("libcurl.so.4 => /" in said and "not found" not in said, said)


@case
def the_user_of_the_worker_has_a_name():
    with _image() as root:
        for name in "passwd", "group":
            with open(os.path.join(root, "etc", name), encoding="ascii") as its:
                check("\nsecretsfs:x:10473:" in its.read(), name)


@case
def every_file_is_in_the_bill_of_materials():
    with _image() as root:
        bill = _bill(root)
        names = {one["SPDXID"]: one["fileName"][2:] for one in bill["files"]}
        check_equal(sorted({*names.values(), _BILL}), sorted(_files(root)))
        packages = {one["SPDXID"]: one for one in bill["packages"]}
        of = {one["spdxElementId"]: packages[one["relatedSpdxElement"]]["name"]
              for one in bill["relationships"] if one["spdxElementId"] in names}
        check_equal(of.keys(), names.keys(), "files of a package")
        its = {name: of[number] for number, name in names.items()}
        for name, package in its.items():
            if name.rsplit("/", 1)[1].startswith("libcrypto.so"):
                check_equal(package, "libssl3")
            check((package == "secretsfs") == (".so" not in name) or
                  name.startswith(("usr/share/", "etc/ssl/")), name, package)
        for one in packages.values():
            check(one["versionInfo"], one["name"])
            text = one["licenseComments"].removeprefix("The text is /")
            check_equal(its[text.rstrip(".")], one["name"], "its licence")
        linked = {packages[one["relatedSpdxElement"]]["name"]
                  for one in bill["relationships"]
                  if one["relationshipType"] == "STATIC_LINK"}
        check("libc6-dev" in linked, "linked statically:", linked)


@case
def sums_of_the_bill_of_materials_are_right():
    with _image() as root:
        for one in _bill(root)["files"]:
            with open(os.path.join(root, one["fileName"]), "rb") as file:
                content = file.read()
            for its in one["checksums"]:
                found = hashlib.new(its["algorithm"].lower(), content)
                check_equal(its["checksumValue"], found.hexdigest(),
                            one["fileName"])


@case
def the_bill_of_materials_is_valid_SPDX():
    if not os.path.isdir(_SPDX):
        raise Skip("SECRETSFS_SPDX names no place with spdx-tools: "
                   "contrib/check has one")
    with _image() as root:
        result = run(os.path.join(_SPDX, "bin", "pyspdxtools"), "-i",
                     os.path.join(root, _BILL))
        check_equal(result.code, 0, result)


@case
def a_second_build_is_the_same():
    with _podman() as containers:
        containers("build", "--isolation", "chroot", "--no-cache",
                   "--timestamp", "0", "--build-arg", f"BASE={DEBIAN}",
                   "-f", os.path.join(SOURCE, "contrib", "Containerfile"),
                   "-t", "localhost/again", SOURCE, seconds=_BUILD_S)
        check_equal(_layers(containers, "localhost/again"),
                    _layers(containers, IMAGE), "layers")
        check_equal(len(_layers(containers, IMAGE)), 1, "count of layers")


main(seconds=_BUILD_S)
