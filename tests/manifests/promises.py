# SPDX-License-Identifier: Apache-2.0
"""What the manifests promise about rights, restarts and secrets, in whatever
way they are rendered."""

import os
import re
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.manifests import (all_renderings, charted, container_of, daemon_set,
                           examples, go_on_with_tools, installations,
                           kustomized, of_kind, overlays, pod_of)
from lib.place import SOURCE
from lib.tap import case, check, check_equal, main

go_on_with_tools()

USER = 10473  # "secretsfs" of the image
KINDS = {"Namespace", "ServiceAccount", "ConfigMap", "DaemonSet",
         "NetworkPolicy", "Service", "ServiceMonitor"}
SOCKET = "/run/attach/attach.sock"


def _each(component):
    for name, objects in installations():
        found = daemon_set(objects, component)
        yield name, found, pod_of(found), container_of(found)


def _option(arguments, name):
    """The value of an option in a list of arguments."""
    return arguments[arguments.index(name) + 1]


def _mounts(container):
    return {one["name"]: one for one in container["volumeMounts"]}


def _volumes(pod):
    return {one["name"]: one for one in pod["volumes"]}


@case
def nothing_is_installed_but_what_it_takes():
    for name, objects in installations():
        kinds = {one["kind"] for one in objects}
        check(kinds <= KINDS, name, "has", kinds - KINDS)
        check_equal(len(of_kind(objects, "DaemonSet")), 2, name)


@case
def no_manifest_has_a_secret():
    for name, objects in all_renderings():
        check(not of_kind(objects, "Secret"), name)
        for workload in of_kind(objects, "DaemonSet") + \
                of_kind(objects, "Deployment"):
            pod = pod_of(workload)
            for one in pod["containers"] + pod.get("initContainers", []):
                check("envFrom" not in one, name)
                for variable in one.get("env", []):
                    check("secretKeyRef" not in variable.get("valueFrom", {}),
                          name, variable)
                    check("KEY" not in variable["name"] and
                          "SECRET" not in variable["name"]
                          .replace("SECRETS_MANAGER", ""), name, variable)
            for volume in pod.get("volumes", []):
                check("secret" not in volume, name, volume)


@case
def only_the_keeper_is_privileged():
    for name, objects in all_renderings():
        for workload in of_kind(objects, "DaemonSet") + \
                of_kind(objects, "Deployment"):
            pod = pod_of(workload)
            for one in pod["containers"] + pod.get("initContainers", []):
                is_keeper = one["command"] == ["secretsfs-keeper"]
                check_equal(one.get("securityContext", {})
                            .get("privileged", False), is_keeper,
                            f"{name}: {one['name']}")
            for field in ("hostNetwork", "hostPID", "hostIPC"):
                check(not pod.get(field), name, field)


@case
def the_worker_has_no_rights():
    for name, _, pod, worker in _each("worker"):
        about = pod["securityContext"]
        check_equal((about["runAsNonRoot"], about["runAsUser"],
                     about["runAsGroup"], about["fsGroup"],
                     about["seccompProfile"]),
                    (True, USER, USER, USER, {"type": "RuntimeDefault"}), name)
        about = dict(worker["securityContext"])
        about.pop("seLinuxOptions", None)
        check_equal(about, {"allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}}, name)
        check_equal([one["name"] for one in worker["volumeMounts"]
                     if not one["readOnly"]], [], f"{name}: writable")


@case
def the_keeper_takes_that_user_alone_for_a_worker():
    for name, _, pod, keeper in _each("keeper"):
        arguments = keeper["args"]
        check_equal((_option(arguments, "--worker-uid"),
                     _option(arguments, "--worker-gid")),
                    (str(USER), str(USER)), name)
        check_equal(keeper["securityContext"]["readOnlyRootFilesystem"], True)
        check_equal(keeper.get("env"), None, f"{name}: environment")
        check(all("hostPath" in one for one in pod["volumes"]), name)


@case
def nobody_has_a_token_for_the_API_server():
    for name, objects in installations():
        for component in "keeper", "worker":
            pod = pod_of(daemon_set(objects, component))
            check_equal((pod["automountServiceAccountToken"],
                         pod["enableServiceLinks"]), (False, False), name)
        for account in of_kind(objects, "ServiceAccount"):
            check_equal(account["automountServiceAccountToken"], False, name)
        accounts = [pod_of(one)["serviceAccountName"]
                    for one in of_kind(objects, "DaemonSet")]
        check_equal(len(set(accounts)), 2, f"{name}: accounts")


@case
def only_the_worker_has_an_identity():
    for name, objects in installations():
        account = pod_of(daemon_set(objects, "keeper"))["serviceAccountName"]
        [found] = [one for one in of_kind(objects, "ServiceAccount")
                   if one["metadata"]["name"] == account]
        check_equal(found["metadata"].get("annotations"), None, name)
    [account] = [one for one in of_kind(kustomized("overlays/irsa"),
                                        "ServiceAccount")
                 if one["metadata"]["name"] == "secretsfs-worker"]
    check("eks.amazonaws.com/role-arn" in account["metadata"]["annotations"],
          account)


@case
def the_role_that_is_injected_is_told_to_the_pods_template():
    told = 0
    for name, objects in installations():
        roles = [one["metadata"].get("annotations", {}).get(
            "eks.amazonaws.com/role-arn")
            for one in of_kind(objects, "ServiceAccount")]
        about = daemon_set(objects, "worker")["spec"]["template"]["metadata"]
        found = about.get("annotations", {}).get("secretsfs/role")
        check_equal([found] if found else [], [one for one in roles if one],
                    name)
        told += bool(found)
    check(told >= 8, "only", told, "installations with a role")


@case
def a_region_is_given_where_nobody_injects_one():
    for name, _, _, worker in _each("worker"):
        names = [one["name"] for one in worker["env"]]
        if name.endswith(("node-role", "no-webhook")):
            check("AWS_REGION" in names, name, names)


@case
def the_node_serves_as_an_identity_only_where_that_was_asked_for():
    for name, _, _, worker in _each("worker"):
        values = {one["name"]: one.get("value") for one in worker["env"]}
        wanted = "false" if name.endswith("node-role") else "true"
        check_equal(values["AWS_EC2_METADATA_DISABLED"], wanted, name)


def _policies(objects):
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]:
            one["spec"] for one in of_kind(objects, "NetworkPolicy")}


@case
def the_network_is_closed_but_for_what_is_needed():
    for name, objects in installations():
        policies = _policies(objects)
        if name == "chart other-account":
            check_equal(policies, {}, name)
            continue
        check_equal(set(policies), {"keeper", "worker"}, name)
        for component, policy in policies.items():
            labels = daemon_set(objects, component)["spec"]["template"][
                "metadata"]["labels"]
            selected = policy["podSelector"]["matchLabels"]
            check(selected.items() <= labels.items(), name, component)
            check_equal(policy["policyTypes"], ["Ingress", "Egress"], name)
        check(not {"ingress", "egress"} & set(policies["keeper"]), name)
        anywhere = [(one["port"], one["protocol"]) for rule in
                    policies["worker"]["egress"] if not rule.get("to")
                    for one in rule["ports"]]
        # of the node's agent, or of its metadata
        from_node = [(80, "TCP")] if name.endswith(
            ("pod-identity", "node-role")) else []
        check_equal(sorted(anywhere), [(53, "TCP"), (53, "UDP"), *from_node,
                                       (443, "TCP")], name)
        # not every network plugin finds an address of the node
        check("169.254" not in str(policies), name, policies)
        check_equal([one["port"] for rule in policies["worker"]["ingress"]
                     for one in rule["ports"]], ["metrics"], name)


@case
def on_the_node_all_is_in_one_directory_of_memory():
    for name, objects in installations():
        keeper = daemon_set(objects, "keeper")
        volumes = _volumes(pod_of(keeper))
        root = volumes["mounts"]["hostPath"]["path"].rsplit("/", 1)[0]
        check(root.startswith("/run/"), name, root)
        for component in "keeper", "worker":
            for volume in pod_of(daemon_set(objects, component))["volumes"]:
                if "hostPath" in volume:
                    check_equal(volume["hostPath"],
                                {"path": f"{root}/{volume['name']}",
                                 "type": "DirectoryOrCreate"}, name)
        mounts = _mounts(container_of(keeper))
        check_equal((mounts["mounts"]["mountPropagation"],
                     mounts["mounts"]["mountPath"]),
                    ("Bidirectional", _option(container_of(keeper)["args"],
                                              "--mount-point")), name)
        for component in "keeper", "worker":
            container = container_of(daemon_set(objects, component))
            check_equal(_mounts(container)["attach"]["mountPath"],
                        SOCKET.rsplit("/", 1)[0], name)
            check(SOCKET in container["args"], name)


@case
def a_rollout_replaces_keepers_beside_and_workers_in_turn():
    for name, workload, _, keeper in _each("keeper"):
        check({"--succeed", "--linger"} <= set(keeper["args"]), name)
        check_equal(_option(keeper["args"], "--on-stop"),
                    "unmount" if name == "chart full" else "leave", name)
        # one that cannot take over is gone before the one before is told to go
        check(workload["spec"]["minReadySeconds"] >= 5, name)
        strategy = workload["spec"]["updateStrategy"]
        if strategy["type"] == "RollingUpdate":
            check_equal(strategy["rollingUpdate"],
                        {"maxSurge": 1, "maxUnavailable": 0}, name)
    for name, workload, _, _ in _each("worker"):
        strategy = workload["spec"]["updateStrategy"]
        check_equal((strategy["type"],
                     strategy["rollingUpdate"].get("maxSurge", 0)),
                    ("RollingUpdate", 0), name)


@case
def nothing_that_ends_would_unmount():
    for component in "keeper", "worker":
        for name, _, pod, container in _each(component):
            check("lifecycle" not in container, name)
            check(pod["terminationGracePeriodSeconds"] >= 10, name)
    for name, _, _, keeper in _each("keeper"):
        check("livenessProbe" not in keeper, name)


@case
def probes_ask_the_worker_what_it_answers():
    for name, _, _, worker in _each("worker"):
        [port] = worker["ports"]
        check(_option(worker["args"], "--metrics").endswith(
            f":{port['containerPort']}"), name)
        for probe, path in (("startupProbe", "/healthz"),
                            ("livenessProbe", "/healthz"),
                            ("readinessProbe", "/readyz")):
            check_equal(worker[probe]["httpGet"],
                        {"path": path, "port": port["name"]}, name)
        # a worker waits for its keeper for 30 s
        probe = worker["startupProbe"]
        check(probe["periodSeconds"] * probe["failureThreshold"] > 30, name)


@case
def Prometheus_finds_the_job_that_alerts_ask_for():
    [monitor] = of_kind(charted("full"), "ServiceMonitor")
    [service] = of_kind(charted("full"), "Service")
    check_equal(service["metadata"]["labels"][monitor["spec"]["jobLabel"]],
                "secretsfs")
    selected = monitor["spec"]["selector"]["matchLabels"]
    check(selected.items() <= service["metadata"]["labels"].items(), selected)


def _bytes(text):
    return int(text.removesuffix("Mi")) << 20


@case
def what_is_requested_is_a_sixth_of_the_stack_that_it_replaces():
    requested = sum(_bytes(container_of(one)["resources"]["requests"]
                           ["memory"]) for one in
                    of_kind(charted(""), "DaemonSet"))
    check(requested * 6 <= 240 << 20, requested, "bytes are requested")
    for component in "keeper", "worker":
        for name, _, pod, container in _each(component):
            check("memory" in container["resources"]["limits"], name)
            # who reads would wait for a limited processor
            check("cpu" not in container["resources"]["limits"], name)
            if name != "chart full":
                check_equal(pod["priorityClassName"], "system-node-critical")
                check_equal(pod["tolerations"], [{"operator": "Exists"}])


def _row(page, first):
    """The other cells of a table's row."""
    [row] = re.findall(rf"^\| \**{first}\** \|(.*)\|$", page, re.MULTILINE)
    return [cell.strip(" *") for cell in row.split("|")]


@case
def the_page_has_these_figures():
    with open(os.path.join(SOURCE, "docs/KUBERNETES.md"),
              encoding="utf-8") as file:
        page = file.read()
    total = {}
    for component in "keeper", "worker":
        about = container_of(daemon_set(charted(""), component))["resources"]
        requests, limits = about["requests"], about["limits"]
        check_equal(_row(page, component),
                    [f"{requests['cpu']}, {requests['memory'][:-2]} MiB",
                     f"{limits['memory'][:-2]} MiB"], component)
        for name, value in (("cpu", int(requests["cpu"][:-1])),
                            ("memory", int(requests["memory"][:-2])),
                            ("limit", int(limits["memory"][:-2]))):
            total[name] = total.get(name, 0) + value
    check_equal(_row(page, "both"), [f"{total['cpu']}m, {total['memory']} MiB",
                                     f"{total['limit']} MiB"], "both")
    index = int(re.search(r"/args/(\d+)", page)[1])
    keeper = container_of(daemon_set(kustomized("base"), "keeper"))
    check_equal(keeper["args"][index - 1:index + 1], ["--on-stop", "leave"],
                "what is patched")
    for name in overlays():
        check(_row(page, f"`{os.path.basename(name)}`"), name)
    for path in re.findall(r"`((?:k8s|docs)/[\w./-]+)`", page):
        check(os.path.exists(os.path.join(SOURCE, path)), path, "is not there")


def _consumers():
    for name in examples():
        for one in of_kind(kustomized(name), "Deployment"):
            yield name, pod_of(one)


@case
def a_consumer_follows_the_mount_and_waits_for_it():
    count = 0
    for name, pod in _consumers():
        [volume] = [one for one in pod["volumes"] if "hostPath" in one]
        check_equal(volume["hostPath"],
                    {"path": "/run/secretsfs/mounts/kontox-secrets",
                     "type": "Directory"}, name)
        for container in pod["containers"] + pod.get("initContainers", []):
            check_equal(_mounts(container)[volume["name"]],
                        {"name": volume["name"], "readOnly": True,
                         "mountPath": "/mnt/secrets-store",
                         "mountPropagation": "HostToContainer"}, name)
            count += 1
    check_equal(count, 4, "containers")


@case
def a_consumer_needs_no_rights():
    for name in "examples/deployment", "examples/start-order":
        [workload] = of_kind(kustomized(name), "Deployment")
        pod = pod_of(workload)
        check_equal(pod["securityContext"]["runAsNonRoot"], True, name)
        for one in pod["containers"] + pod.get("initContainers", []):
            about = one["securityContext"]
            check_equal((about["allowPrivilegeEscalation"],
                         about["capabilities"]), (False, {"drop": ["ALL"]}))


@case
def a_volume_of_the_CSI_driver_becomes_one_of_ours():
    from lib.manifests import K8S, parse
    with open(f"{K8S}/examples/from-csi/deployment.yaml",
              encoding="utf-8") as file:
        [before] = parse(file.read())
    [after] = of_kind(kustomized("examples/from-csi"), "Deployment")
    [volume] = pod_of(before)["volumes"]
    check_equal(volume["csi"]["driver"], "secrets-store.csi.k8s.io")
    [mounted] = container_of(before)["volumeMounts"]
    mounted["mountPropagation"] = "HostToContainer"
    pod_of(before)["volumes"] = [{
        "name": volume["name"],
        "hostPath": {"path": "/run/secretsfs/mounts/" + volume["csi"][
            "volumeAttributes"]["secretProviderClass"], "type": "Directory"}}]
    check_equal(after, before, "nothing else has changed")


@case
def the_namespace_admits_them():
    [namespace] = of_kind(kustomized("base"), "Namespace")
    check_equal(namespace["metadata"]["labels"][
        "pod-security.kubernetes.io/enforce"], "privileged")


main(mounts=False)
