# SPDX-License-Identifier: Apache-2.0
"""A node of a cluster in small: runs what manifests say, as processes in mount
namespaces, with the volumes, the user and the environment of their containers.

All is in /run, which must be the test's own (tests/alone).
"""

import os
import re
import shutil
import signal
import subprocess

from lib.manifests import classes_of, container_of, daemon_set, pod_of
from lib.marked import found_in
from lib.place import built, mounts, write_file
from lib.process import environment, run_ok
from lib.tap import check
from lib.wait import wait_until

ROOT = "/run/secretsfs"
# Where containers have what theirs would have below "/".
INSIDE = "/run/container"
_PORT = re.compile(r"metrics are served address=\S+ port=(\d+)")

# A volume each: source, place, Bidirectional or not. With Bidirectional the
# mounts of the namespace are peers of the node's; the directory that is bound
# upon must not be.
_SCRIPT = """set -e
if [ "$1" = unchanged ]; then mount --make-private /run; fi
shift
while [ "$1" != -- ]; do
	mount --rbind "$1" "$2"
	shift 2
done
shift
exec "$@"
"""


def _inside(path):
    """Container and node share /run, and nothing else may be made."""
    return path if path.startswith("/run/") else \
        os.path.join(INSIDE, path[1:].replace("/", "-"))


class Container:
    """One that runs; its log is what kubectl logs would show."""

    def __init__(self, about, volumes, log, more=None, user=None):
        self.log = log
        self._about = about
        self.process = self._start(volumes, more or {}, user)

    def _start(self, volumes, more, user):
        mounted = []
        for one in self._about["volumeMounts"]:
            place = _inside(one["mountPath"])
            os.makedirs(place, exist_ok=True)
            mounted += [volumes[one["name"]], place]
        # the node's own last: its place is above the others
        pairs = sorted(zip(mounted[::2], mounted[1::2]),
                       key=lambda pair: pair[1] == ROOT)
        how = "unchanged" if any(
            one.get("mountPropagation") == "Bidirectional"
            for one in self._about["volumeMounts"]) else "slave"
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                ["unshare", "-m", "--propagation", how, "sh", "-c", _SCRIPT,
                 "sh", how, *(word for pair in pairs for word in pair), "--",
                 *_as_user(user), *self._command()],
                env=environment({**self._variables(), **more}),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _command(self):
        places = {one["mountPath"]: _inside(one["mountPath"])
                  for one in self._about["volumeMounts"]}
        # the worker names the mounts' directory without having it
        places["/secrets"] = _inside("/secrets")
        words = [self._about["command"][0], *self._about["command"][1:],
                 *self._about.get("args", [])]
        if words[0].startswith("secretsfs"):
            words[0] = built(words[0])
        for path, place in places.items():
            words = [re.sub(rf"(^|\s){re.escape(path)}(?=/|\s|$)",
                            rf"\g<1>{place}", word) for word in words]
        return [re.sub(r"^0\.0\.0\.0:\d+$", "127.0.0.1:0", word)
                for word in words]

    def _variables(self):
        return {one["name"]: one.get("value", "node-1")
                for one in self._about.get("env", [])}

    def execute(self, command):
        """Runs a command of the image in it, as kubectl exec does."""
        words = [_inside(one) if one == "/secrets" else one for one in command]
        return subprocess.run(
            ["nsenter", "-m", "-t", str(self.process.pid), built(words[0]),
             *words[1:]], env=environment(), capture_output=True, text=True,
            timeout=60, check=False)

    def path(self, *names):
        """A file as it has it, from outside."""
        return os.path.join(f"/proc/{self.process.pid}/root",
                            *(one.lstrip("/") for one in names))

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def has_ended(self):
        return self.process.poll() is not None

    def port(self):
        wait_until(lambda: self.has_ended() or _PORT.search(self.log_text()),
                   "the worker names its port", 60)
        check(not self.has_ended(), "it has ended:", self.log_text())
        return int(_PORT.findall(self.log_text())[-1])

    def stop(self):
        """As kubelet does; its exit code."""
        if not self.has_ended():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        if not self.has_ended():
            self.process.kill()
        self.process.wait(60)


def _as_user(user):
    if user is None:
        return []
    return ["setpriv", "--reuid", str(user), "--regid", str(user),
            "--clear-groups", "--bounding-set", "-all", "--no-new-privs"]


class Node:
    """Pods of one installation, and of who uses it."""

    def __init__(self, directory, objects):
        self._directory = directory
        self._objects = objects
        self._containers = []
        self._classes = os.path.join(directory, "classes")
        self._versions = []
        os.makedirs(os.path.join(ROOT, "mounts"))
        # what a container runtime finds: below a mount that is shared
        run_ok("mount", "-t", "tmpfs", "tmpfs", os.path.join(ROOT, "mounts"))
        run_ok("mount", "--make-shared", os.path.join(ROOT, "mounts"))
        self.write_classes(classes_of(objects))

    def write_classes(self, files):
        """As kubelet does with a ConfigMap: all at once, by a link; what is
        gone last."""
        os.makedirs(self._classes, exist_ok=True)
        before = set(os.listdir(self._classes))
        fresh = f"..{len(self._versions)}"
        self._versions.append(fresh)
        for name, text in files.items():
            write_file(os.path.join(self._classes, fresh, name), text)
        link = os.path.join(self._classes, "..data_tmp")
        os.symlink(fresh, link)
        os.rename(link, os.path.join(self._classes, "..data"))
        for name in files.keys() - before:
            os.symlink(f"..data/{name}", os.path.join(self._classes, name))
        for name in before - files.keys():
            if not name.startswith(".."):
                os.unlink(os.path.join(self._classes, name))
        for old in self._versions[:-1]:
            shutil.rmtree(os.path.join(self._classes, old),
                          ignore_errors=True)

    def _volumes(self, pod):
        found = {}
        for one in pod["volumes"]:
            if "configMap" in one:
                found[one["name"]] = self._classes
                continue
            path = one["hostPath"]["path"]
            if one["hostPath"]["type"] == "DirectoryOrCreate":
                os.makedirs(path, exist_ok=True)
            check(os.path.isdir(path), "the pod would wait for", path)
            found[one["name"]] = path
        return found

    def _run(self, about, pod, **keywords):
        log = os.path.join(self._directory,
                           f"{about['name']}{len(self._containers)}.log")
        container = Container(about, self._volumes(pod), log, **keywords)
        self._containers.append(container)
        return container

    def keeper(self, on_stop="leave"):
        found = daemon_set(self._objects, "keeper")
        about = dict(container_of(found))
        about["args"] = [on_stop if one == "leave" else one
                         for one in about["args"]]
        return self._run(about, pod_of(found))

    def worker(self, more):
        """With what a webhook would add to its environment."""
        found = daemon_set(self._objects, "worker")
        pod = pod_of(found)
        return self._run(container_of(found), pod, more=more,
                         user=pod["securityContext"]["runAsUser"])

    def consumer(self, workload, kind="containers"):
        pod = pod_of(workload)
        [about] = pod[kind]
        return self._run(about, pod, user=pod["securityContext"]["runAsUser"])

    def points(self):
        """What is mounted, as the node sees it."""
        top = os.path.join(ROOT, "mounts") + "/"
        return sorted(point[len(top):] for point, kind in mounts()
                      if kind == "fuse.secretsfs" and point.startswith(top))

    def check_logs(self):
        """Nothing that AWS gave out, and no report of a sanitizer."""
        for one in self._containers:
            shown = found_in(one.log_text())
            check(not shown, one.log, "shows", shown)
            check("Sanitizer" not in one.log_text(), one.log)

    def show_logs(self):
        for one in self._containers:
            for line in one.log_text().splitlines()[-30:]:
                print(f"# {os.path.basename(one.log)}: {line}", flush=True)

    def close(self):
        """Ends what is left, by force at last."""
        for one in reversed(self._containers):
            one.kill()
        while self.points():
            run_ok("umount", "-l", os.path.join(ROOT, "mounts",
                                                self.points()[-1]))
        run_ok("umount", "-l", os.path.join(ROOT, "mounts"))
        run_ok("rm", "-rf", ROOT, INSIDE)
