# SPDX-License-Identifier: Apache-2.0
"""What the manifests start works together: keeper, worker and pods, as
processes with the arguments, volumes, users and probes that stand there."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import FakeAws
from lib.class_text import class_text, object_text
from lib.manifests import (classes_of, container_of, daemon_set,
                           go_on_with_tools, kustomized, of_kind)
from lib.metrics import ask
from lib.pods import INSIDE, Node
from lib.place import work_directory
from lib.reading import read
from lib.tap import Skip, case, check, check_equal, main
from lib.verifying import mount_ids, verified
from lib.wait import wait_until

go_on_with_tools()

INSTALLED = "examples/classes"
REGION = "eu-west-1"  # of the class
PASSWORD = b"correct horse"
POINT = "/run/secretsfs/mounts/kontox-secrets"


class _Cluster:
    """A node with the example's classes, and AWS."""

    def __init__(self, node, aws):
        self.node = node
        self.aws = aws
        self.objects = kustomized(INSTALLED)

    def worker(self):
        return self.node.worker(self.aws.environment())

    def probe(self, container, component, probe):
        """Whether a probe of the manifest succeeds."""
        about = container_of(daemon_set(self.objects, component))[probe]
        if "exec" in about:
            return container.execute(about["exec"]["command"]).returncode == 0
        return ask(container.port(),
                   about["httpGet"]["path"]).status == 200

    def wait_until_ready(self, container, component):
        wait_until(lambda: container.has_ended() or
                   self.probe(container, component, "readinessProbe"),
                   f"the {component} is ready", 60)
        check(not container.has_ended(), "the", component, "has ended:",
              container.log_text())

    def pod(self):
        """One of the example, which has read the secret."""
        pod = self.node.consumer(_deployment("deployment"))
        wait_until(lambda: str(len(PASSWORD)) in pod.log_text(),
                   "the example has read it", 60)
        return pod

    def roll_keepers(self, keeper, worker, on_stop="leave"):
        """As maxSurge: 1 has it: the next one is ready before the one before is
        told to end. The worker leaves meanwhile, and kubelet starts it again.
        """
        following = self.node.keeper(on_stop)
        check_equal(worker.process.wait(60), 0, "the worker's end")
        worker = self.worker()
        self.wait_until_ready(worker, "worker")
        self.wait_until_ready(following, "keeper")
        check(not keeper.has_ended(), "kubelet would start it again")
        check_equal(keeper.stop(), 0, "the end of the keeper before")
        return following, worker

    def start(self):
        """Keeper and worker, both ready."""
        keeper = self.node.keeper()
        worker = self.worker()
        self.wait_until_ready(worker, "worker")
        self.wait_until_ready(keeper, "keeper")
        return keeper, worker


@contextlib.contextmanager
def _cluster():
    if not os.environ.get("SECRETSFS_ALONE"):
        raise Skip("no mount namespace of our own")
    with work_directory() as directory, FakeAws(directory) as aws:
        aws.put("Kontox-secret", '{"username": "ada", "password": "%s"}' %
                PASSWORD.decode(), region=REGION)
        node = Node(directory, kustomized(INSTALLED))
        try:
            yield _Cluster(node, aws)
            node.check_logs()
        except BaseException:
            node.show_logs()
            raise
        finally:
            node.close()


def _deployment(name):
    [found] = of_kind(kustomized(f"examples/{name}"), "Deployment")
    return found


def _read_as(container):
    return read(container.path(f"{INSIDE}/mnt-secrets-store/password"))


@case
def from_apply_to_a_readable_file_nothing_is_asked_of_AWS():
    with _cluster() as cluster:
        _, worker = cluster.start()
        check(cluster.probe(worker, "worker", "livenessProbe"), "alive")
        check_equal(cluster.node.points(), ["kontox-secrets"])
        check_equal(cluster.aws.calls(), 0, "calls before the first read")
        check_equal(_read_as(cluster.pod()), PASSWORD)
        check_equal(cluster.aws.calls(), 1, "calls of a first read")


@case
def a_pod_that_was_there_first_waits_for_the_secret():
    with _cluster() as cluster:
        os.makedirs(POINT)
        waiting = cluster.node.consumer(_deployment("start-order"),
                                        kind="initContainers")
        wait_until(waiting.log_text, "it tries", 60)
        cluster.start()
        check_equal(waiting.process.wait(60), 0, waiting.log_text())


@case
def a_ConfigMap_that_changes_changes_the_mounts():
    with _cluster() as cluster:
        cluster.start()
        pod = cluster.pod()
        classes = classes_of(cluster.objects)
        cluster.node.write_classes({
            **classes,
            "more.yaml": class_text(object_text("Kontox-secret"),
                                    name="more")})
        wait_until(lambda: cluster.node.points() == ["kontox-secrets", "more"],
                   "the class that came is mounted", 60)
        cluster.node.write_classes({
            name: text.replace('"secretsmanager"',
                               '"secretsmanager"\n'
                               '        objectAlias: "all"')
            for name, text in classes.items()})
        wait_until(lambda: cluster.node.points() == ["kontox-secrets"],
                   "the class that went is not", 60)
        wait_until(lambda: "all" in os.listdir(
            pod.path(f"{INSIDE}/mnt-secrets-store")),
                   "the pod sees the alias", 60)


@case
def a_rollout_of_the_worker_is_not_seen_by_who_reads():
    with _cluster() as cluster:
        keeper, worker = cluster.start()
        before = mount_ids(POINT)
        with verified("WARM", "COLD",
                      wanted={os.path.join(POINT, "password"): PASSWORD}):
            for _ in range(3):
                check_equal(worker.stop(), 0, "the worker's end")
                worker = cluster.worker()
                cluster.wait_until_ready(worker, "worker")
        check_equal(mount_ids(POINT), before, "mount ids")
        check(cluster.probe(keeper, "keeper", "readinessProbe"), "keeper")


@case
def a_worker_that_cannot_serve_says_why():
    with _cluster() as cluster:
        cluster.node.keeper()
        worker = cluster.node.worker({})  # nothing was injected
        check(worker.process.wait(60) != 0, "it serves")
        check("cannot serve error=no AWS credentials" in worker.log_text(),
              worker.log_text())


@case
def a_rollout_of_the_keeper_is_not_seen_by_who_reads():
    with _cluster() as cluster:
        pair = cluster.start()
        pod = cluster.pod()
        before = mount_ids(POINT)
        with verified("WARM", "COLD",
                      wanted={os.path.join(POINT, "password"): PASSWORD}):
            for _ in range(2):
                pair = cluster.roll_keepers(*pair)
        check_equal(mount_ids(POINT), before, "mount ids")
        check_equal(_read_as(pod), PASSWORD)


@case
def a_pod_gets_the_mount_that_follows_a_keeper_that_left_none():
    with _cluster() as cluster:
        keeper, worker = cluster.start()
        pod = cluster.pod()
        check_equal(_read_as(pod), PASSWORD)
        check_equal(keeper.stop(), 0, "the keeper's end")
        worker.stop()
        check_equal(cluster.node.points(), ["kontox-secrets"], "they stay")
        cluster.start()
        check_equal(_read_as(pod), PASSWORD)


@case
def an_uninstallation_leaves_nothing():
    with _cluster() as cluster:
        pair = cluster.start()
        cluster.pod()
        keeper, _ = cluster.roll_keepers(*pair, on_stop="unmount")
        check_equal(keeper.stop(), 0, "the keeper's end")
        check_equal(cluster.node.points(), [], "mounts")
        check_equal(os.listdir("/run/secretsfs/mounts"), [], "what is left")
        check_equal(os.listdir("/run/secretsfs/attach"), [], "what is left")


main()
