# SPDX-License-Identifier: Apache-2.0
"""What k8s/ renders to is valid, and the programs take what it gives them."""

import os
import re
import socket
import struct
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.manifests import (KUBERNETES, all_renderings, charted, classes_of,
                           container_of, daemon_set, examples, fault_of, helm,
                           installations, go_on_with_tools, kustomized,
                           of_kind, overlays, parse, values_file,
                           values_files)
from lib.place import SOURCE, built, work_directory, write_file
from lib.process import environment, run
from lib.tap import case, check, check_equal, main

go_on_with_tools()

WORKER_USER = 65534  # who is not root; the manifests' own is of the image

# Of src/keeper/message.h: magic, type, mount, number, length.
HEAD = struct.Struct("=IIIiI")
READY, FAILED, ADD = 1, 2, 19
NO_MOUNT = 0xffffffff
MESSAGE_MAX = 65536
TOKEN = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"


@case
def everything_renders():
    check_equal(len(overlays()), 7, "overlays")
    check_equal(len(examples()), 4, "examples")
    check(len(values_files()) > len(overlays()), "files of values")
    for name, objects in all_renderings():
        check(objects, name, "is empty")
        named = [(one["kind"], one["metadata"]["name"]) for one in objects]
        check_equal(len(set(named)), len(named), f"objects of {name}")


@case
def Kubernetes_takes_every_object():
    for name, objects in all_renderings():
        for one in objects:
            for version in KUBERNETES:
                check_equal(fault_of(one, version), None,
                            f"{name}: {one['kind']} in {version}")


@case
def an_object_that_is_wrong_is_found():
    wrong = (("DaemonSet", "spec", "updateStrategi", {}),
             ("NetworkPolicy", "spec", "egress", "all"),
             ("ServiceMonitor", "spec", "endpoint", []),
             ("ServiceMonitor", "spec", "endpoints", [{"interval": 5}]))
    for kind, where, field, value in wrong:
        one = dict(of_kind(charted("full"), kind)[0])
        one[where] = {**one[where], field: value}
        for version in KUBERNETES:
            check(fault_of(one, version), kind, field, "is taken")


@case
def helm_finds_nothing_to_say():
    for name in ("", *values_files()):
        result = helm("lint", "--strict",
                      *(("-f", values_file(name)) if name else ()))
        check_equal(result.returncode, 0, result.stdout + result.stderr)


@case
def every_class_is_right():
    count = 0
    with work_directory() as directory:
        for name, objects in installations():
            for file, text in classes_of(objects).items():
                path = write_file(os.path.join(directory, file), text)
                result = run(built("secretsfs"), "check", "--strict", path)
                check_equal((result.code, result.err), (0, ""),
                            f"{name}: {file}")
                count += 1
    check(count >= 3, "only", count, "classes")


@case
def kontox_secrets_is_one_class_wherever_it_stands():
    with open(os.path.join(SOURCE, "docs/examples/kontox-secrets.yaml"),
              encoding="utf-8") as file:
        wanted = parse(file.read())
    for where, objects in (("examples", kustomized("examples/classes")),
                           ("chart", charted("classes"))):
        check_equal(parse(classes_of(objects)["kontox-secrets.yaml"]), wanted,
                    where)


def _arguments(objects, component, paths):
    """What a container runs, with other paths in the place of its own."""
    container = container_of(daemon_set(objects, component))
    check_equal(container["command"], [f"secretsfs-{component}"])
    return [built(f"secretsfs-{component}"),
            *(paths.get(one, one) for one in container["args"])]


def _keeper_says(objects, directory, *more):
    """Without the directory for its mounts."""
    paths = {"/secrets": os.path.join(directory, "absent"),
             "/run/attach/attach.sock": os.path.join(directory, "sock")}
    result = run(*_arguments(objects, "keeper", paths), *more)
    check(result.code != 0, result)
    return result.err


@case
def the_keeper_takes_its_arguments():
    with work_directory() as directory:
        for name, objects in installations():
            said = _keeper_says(objects, directory)
            # which it looks for before, and finds where there is SELinux
            check(os.path.join(directory, "absent") in said or
                  name.endswith("selinux") and "needs SELinux" in said,
                  name, said)
        said = _keeper_says(kustomized("base"), directory, "--bogus")
        check("unknown argument '--bogus'" in said, said)


def _environment(objects):
    """What the manifest sets, and what EKS's webhook adds for a role."""
    worker = daemon_set(objects, "worker")
    found = {one["name"]: one["value"] for one in container_of(worker)["env"]
             if "value" in one}
    for account in of_kind(objects, "ServiceAccount"):
        role = account["metadata"].get("annotations", {}).get(
            "eks.amazonaws.com/role-arn")
        if role:
            found["AWS_ROLE_ARN"] = role
            found["AWS_WEB_IDENTITY_TOKEN_FILE"] = TOKEN
    return environment(found)


def _worker(directory, objects, path, more):
    """As it is started in a pod, with a place and a user of the test's."""
    source = os.path.join(directory, "classes")
    os.makedirs(source, exist_ok=True)
    for file, text in classes_of(objects).items():
        write_file(os.path.join(source, file), text)
    arguments = _arguments(objects, "worker",
                           {"/run/attach/attach.sock": path,
                            "/etc/secretsfs/classes": source})
    user = WORKER_USER if os.geteuid() == 0 else None
    return subprocess.Popen(
        [*(re.sub(r":94\d\d$", ":0", one) for one in arguments), *more],
        env=_environment(objects), user=user, group=user,
        extra_groups=[] if user else None, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _read_until_ready(connection):
    """The mounts that a worker asks for, and why it fails, if it does."""
    asked = []
    while True:
        message = connection.recv(MESSAGE_MAX)
        check(len(message) >= HEAD.size, "the worker left")
        _, kind, mount, _, length = HEAD.unpack_from(message)
        body = message[HEAD.size:HEAD.size + length].decode()
        if kind == FAILED:
            return asked, body
        if kind == READY and mount == NO_MOUNT:
            return asked, None
        if kind == ADD:
            asked.append(body.split("\0")[0])


def _worker_says(objects, *more):
    """To who listens where the keeper would."""
    with work_directory() as directory, \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        path = os.path.join(directory, "attach.sock")
        listening.bind(path)
        os.chmod(path, 0o666)
        listening.listen()
        listening.settimeout(60)
        worker = _worker(directory, objects, path, more)
        try:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(60)
                return _read_until_ready(connection)
        finally:
            worker.kill()
            worker.wait(60)


def _names(objects):
    """Of the mounts of an installation."""
    abouts = [one["metadata"] for text in classes_of(objects).values()
              for one in parse(text)]
    return sorted("/".join(filter(None, (one.get("namespace"), one["name"])))
                  for one in abouts)


@case
def the_worker_takes_its_arguments_and_asks_for_each_class():
    for name, objects in installations():
        asked, why = _worker_says(objects)
        check_equal((sorted(asked), why), (_names(objects), None), name)
    _, why = _worker_says(kustomized("base"), "--bogus")
    check(why and "bogus" in why, "taken:", why)


main(mounts=False)
