# SPDX-License-Identifier: Apache-2.0
"""The chart is what the kustomizations are, each of its values does something,
and a wrong one is refused by name."""

import copy
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, sys.path[0] + "/..")

from lib.manifests import (CHART, K8S, KUBERNETES, charted, container_of,
                           daemon_set, fault_of, go_on_with_tools, helm,
                           kustomized, of_kind, overlays, parse, templated,
                           values_file, values_files)
from lib.place import SOURCE, work_directory, write_file
from lib.tap import case, check, check_equal, main

go_on_with_tools()

HELMS_LABELS = {"app.kubernetes.io/managed-by", "app.kubernetes.io/version",
                "helm.sh/chart"}
# With Helm it is there before the chart is looked at.
KUSTOMIZES_KINDS = {"Namespace"}
ROLE = "arn:aws:iam::111122223333:role/secretsfs"


def _read(*names):
    with open(os.path.join(*names), encoding="utf-8") as file:
        return file.read()


def _in_order(thing):
    """What has names in lists that are sets, by these."""
    if isinstance(thing, list):
        found = [_in_order(one) for one in thing]
        is_named = all(isinstance(one, dict) and "name" in one
                       for one in found)
        return sorted(found, key=lambda one: one["name"]) if is_named \
            else found
    if isinstance(thing, dict):
        return {name: _in_order(one) for name, one in thing.items()}
    return thing


def _comparable(thing):
    """Without what only helm says, and class files as what they say."""
    found = _in_order(copy.deepcopy(thing))
    labels = found["metadata"].get("labels", {})
    for name in HELMS_LABELS:
        labels.pop(name, None)
    if found["kind"] == "ConfigMap":
        found["data"] = {name: parse(text) for name, text in
                         (found.get("data") or {}).items()}
    return found


def _by_name(objects):
    return {(one["kind"], one["metadata"]["namespace"],
             one["metadata"]["name"]): _comparable(one) for one in objects
            if one["kind"] not in KUSTOMIZES_KINDS}


def _check_same(what, ours, theirs):
    ours, theirs = _by_name(ours), _by_name(theirs)
    check_equal(sorted(ours), sorted(theirs), f"objects of {what}")
    for name, one in ours.items():
        for part in one.keys() | theirs[name].keys():
            check_equal(one.get(part), theirs[name].get(part),
                        f"{what}: {part} of {name}")


@case
def the_chart_is_the_base():
    _check_same("the base", charted(""), kustomized("base"))


@case
def the_chart_with_values_is_each_overlay():
    names = [os.path.basename(path) for path in overlays()]
    for name in names:
        _check_same(name, charted(name), kustomized(f"overlays/{name}"))
    _check_same("classes", charted("classes"), kustomized("examples/classes"))
    check_equal(set(values_files()) - set(names),
                {"classes", "full", "other-account"}, "other files of values")


def _patched(text, files=None):
    """The objects of a kustomization of somebody's, who names k8s/ K8S, beside
    files by their names."""
    with work_directory() as directory:
        for name, content in (files or {}).items():
            write_file(os.path.join(directory, name), content)
        # of both, since one of them may be a link
        place = os.path.relpath(os.path.realpath(K8S),
                                os.path.realpath(directory))
        write_file(os.path.join(directory, "kustomization.yaml"),
                   text.replace("K8S", place))
        return kustomized(directory)


def _page():
    return _read(SOURCE, "docs/KUBERNETES.md")


def _is_somebodys(objects):
    """What the page looks for: whether a placeholder is left."""
    pattern = re.search(r"kubectl kustomize \. \| grep -E '(.*)'", _page())[1]
    return re.search(pattern, str(objects)) is not None


@case
def the_page_puts_ones_own_in_the_place_of_what_overlays_have():
    text = re.search(r"```yaml\n(.*?)```", _page(), re.DOTALL)[1]
    for ours, yours in (("../k8s", "K8S"), ("example.com", "test"),
                        ("111122223333", "444455556666")):
        check(ours in text, ours, "is not in", text)
        text = text.replace(ours, yours)
    objects = _patched(text, {"kontox-secrets.yaml": _read(
        SOURCE, "docs/examples/kontox-secrets.yaml")})
    check(not _is_somebodys(objects), objects)
    check_equal(str(objects).count("444455556666"), 2, "places of the role")
    for name in overlays():
        check_equal(_is_somebodys(kustomized(name)),
                    not name.endswith(("node-role", "pod-identity")), name)


@case
def SELinux_goes_with_another_identity():
    both = _patched("""
resources: [K8S/overlays/pod-identity]
components: [K8S/components/selinux]
""")
    _check_same("SELinux and Pod Identity", templated(
        "-f", values_file("selinux"), "-f", values_file("pod-identity"),
        "--set", "identity.roleArn="), both)


@case
def a_keeper_may_stay_at_the_image_before():
    before = "sha256:" + "1" * 64
    for value, image in (("tag=0.0.9", ":0.0.9"),
                         (f"digest={before}", f"@{before}")):
        image = f"registry.example.com/secretsfs{image}"
        found = templated(
            "--set", "image.repository=registry.example.com/secretsfs",
            "--set", f"keeper.image.{value}")
        _check_same(f"keeper.image.{value}", found, _patched(f"""
resources: [K8S/base]
images:
  - name: secretsfs
    newName: registry.example.com/secretsfs
patches:
  - target:
      kind: DaemonSet
      name: secretsfs-keeper
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: {image}
"""))
        check_equal(container_of(daemon_set(found, "keeper"))["image"],
                    image)
        check(container_of(daemon_set(found, "worker"))["image"] != image,
              "the worker stays, too")


@case
def helms_labels_are_on_every_object_and_in_no_selector():
    for one in charted("full"):
        labels = one["metadata"]["labels"]
        check(HELMS_LABELS <= set(labels), one["kind"], "has", labels)
    for one in of_kind(charted("full"), "DaemonSet"):
        selected = one["spec"]["selector"]["matchLabels"]
        check(not HELMS_LABELS & set(selected), selected)
        labels = one["spec"]["template"]["metadata"]["labels"]
        check(selected.items() <= labels.items(), labels)


def _leaves(values, path=()):
    """Each value that is no map, or an empty one, by its path."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name)


def _without(values, path):
    found = copy.deepcopy(values)
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return found


def _has(values, path):
    for name in path:
        if not isinstance(values, dict) or name not in values:
            return False
        values = values[name]
    return True


def _matters(directory, path):
    """Whether something renders otherwise without it, or not at all."""
    import yaml
    for name in values_files():
        [values] = parse(_read(values_file(name)))
        if not _has(values, path):
            continue
        less = write_file(os.path.join(directory, "values.yaml"),
                          yaml.safe_dump(_without(values, path)))
        result = helm("template", "-f", less)
        if result.returncode != 0 or parse(result.stdout) != charted(name):
            return True
    return False


@case
def every_value_does_something():
    [values] = parse(_read(CHART, "values.yaml"))
    # some are taken as a whole
    whole = {"affinity": 1, "nodeSelector": 1, "keeper": 2, "worker": 2}
    paths = {path[:whole.get(path[0], len(path))] for path in _leaves(values)}
    with work_directory() as directory:
        for path in sorted(paths):
            check(_matters(directory, path), ".".join(path), "does nothing")


def _worker_with(*settings):
    """The worker's DaemonSet, of values that are texts."""
    return daemon_set(templated(*(word for one in settings for word in
                                  ("--set-string", one))), "worker")


@case
def what_looks_like_a_number_stays_a_text():
    worker = container_of(_worker_with(
        "times.ttl=90", "times.maxStale=91", "times.verifyAccess=92",
        "times.timeout=93", "identity.kind=web-identity",
        f"identity.roleArn={ROLE}", "identity.audience=94", "awsRegion=95"))
    for option, value in (("--ttl", "90"), ("--max-stale", "91"),
                          ("--verify-access", "92"), ("--timeout", "93")):
        check_equal(worker["args"][worker["args"].index(option) + 1], value)
    check_equal([one["value"] for one in worker["env"]
                 if one["name"] == "AWS_REGION"], ["95"])
    for version in KUBERNETES:
        check_equal(fault_of(_worker_with(
            "times.ttl=90", "identity.kind=web-identity", "awsRegion=95",
            f"identity.roleArn={ROLE}", "identity.audience=94"), version),
            None, version)


@case
def another_role_is_a_rollout_of_the_worker_alone():
    account = r"serviceAccount.annotations.eks\.amazonaws\.com/role-arn"
    for settings in (["identity.roleArn={}"], [account + "={}"],
                     ["identity.roleArn={}", "identity.kind=web-identity",
                      "awsRegion=eu-central-1"]):
        before, after = (templated(*(
            word for one in settings
            for word in ("--set", one.format(ROLE + end))))
            for end in ("", "-other"))
        for component, stays in ("worker", False), ("keeper", True):
            check_equal(daemon_set(before, component) ==
                        daemon_set(after, component), stays,
                        f"{component} of {settings}")


def _refusal(*settings, file=None):
    arguments = [word for one in settings for word in ("--set", one)]
    result = helm("template", *arguments,
                  *(("--set-file", file) if file else ()))
    check(result.returncode != 0, settings, "is taken")
    return result.stderr


@case
def a_wrong_value_is_refused_by_name():
    for setting, word in (
            ("bogus=1", "additional properties 'bogus' not allowed"),
            ("keeper.bogus=1", "at '/keeper'"),
            ("image.tag=1", "at '/image/tag'"),
            ("image.digest=sha256:0", "at '/image/digest'"),
            ("image.pullPolicy=Sometimes", "at '/image/pullPolicy'"),
            ("keeper.image.digest=1", "at '/keeper/image/digest'"),
            (r"podLabels.app\.kubernetes\.io/component=mine",
             "at '/podLabels/app.kubernetes.io~1component'"),
            ("identity.kind=root", "at '/identity/kind'"),
            ("identity.roleArn=secretsfs", "at '/identity/roleArn'"),
            ("endpoints.sts=http://sts", "at '/endpoints/sts'"),
            ("endpoints.sts=https://sts:https", "at '/endpoints/sts'"),
            ("endpoints.sts=https://sts:65536",
             "endpoints: https://sts:65536"),
            ("keeper.updateStrategy.rollingUpdate.maxUnavailable=1",
             "one of maxSurge and maxUnavailable must be 0"),
            ("keeper.updateStrategy.rollingUpdate.maxSurge=0",
             "one of maxSurge and maxUnavailable must be 0"),
            ("worker.updateStrategy.rollingUpdate.maxSurge=1",
             "additional properties 'maxSurge' not allowed"),
            ("files.mode=444", "at '/files/mode'"),
            ("files.owner=nobody", "at '/files/owner'"),
            ("files.seLinuxContext=files", "at '/files/seLinuxContext'"),
            ("times.ttl=soon", "at '/times/ttl'"),
            ("hostPath=/var/lib/secretsfs", "at '/hostPath'"),
            ("hostPath=/run/../etc", "at '/hostPath'"),
            ("logVerbosity=loud", "at '/logVerbosity'"),
            ("logFormatJSON=json", "at '/logFormatJSON'"),
            ("metrics.address=127.0.0.1", "at '/metrics/address'"),
            ("metrics.port=80", "at '/metrics/port'"),
            ("serviceMonitor.interval=often", "at '/serviceMonitor/interval'"),
            ("keeper.onStop=stay", "at '/keeper/onStop'"),
            ("worker.updateStrategy.type=Recreate",
             "at '/worker/updateStrategy/type'"),
            ("identity.kind=web-identity", "identity.roleArn: which role"),
            ("identity.kind=node-role", "awsRegion: which one"),
            ("serviceAccount.create=false", "serviceAccount.name: which one"),
    ):
        said = _refusal(setting)
        check(word in said, setting, "is refused by", said)
        check_equal(said.count("- at '") + said.count("execution error"), 1,
                    f"errors of {setting}: {said}")
    said = _refusal("identity.kind=web-identity", f"identity.roleArn={ROLE}")
    check("awsRegion: which one" in said, said)
    said = _refusal("identity.kind=node-role", f"identity.roleArn={ROLE}")
    check("identity.roleArn: means nothing" in said, said)


@case
def a_class_that_is_none_is_refused_by_name():
    with work_directory() as directory:
        path = write_file(os.path.join(directory, "pod.yaml"), "kind: Pod\n")
        check("classes.app: this text has no document" in
              _refusal(file=f"classes.app={path}"), "a text")
        values = write_file(os.path.join(directory, "values.yaml"), """
classes:
  app:
    apiVersion: secrets-store.csi.x-k8s.io/v1
    kind: Pod
    metadata: {name: app}
    spec: {provider: aws, parameters: {objects: ""}}
""")
        said = helm("template", "-f", values).stderr
        check("at '/classes/app/kind'" in said, said)
        said = _refusal(r"classes.a/b=text")
        check("'a/b'" in said, said)


@case
def a_keeper_may_be_replaced_without_one_beside_it():
    strategy = "keeper.updateStrategy.rollingUpdate"
    objects = templated("--set", f"{strategy}.maxSurge=0%",
                        "--set", f"{strategy}.maxUnavailable=10%")
    check_equal(daemon_set(objects, "keeper")["spec"]["updateStrategy"][
        "rollingUpdate"], {"maxSurge": "0%", "maxUnavailable": "10%"})


def _https_ports(*settings):
    """Of the rule that lets the worker through to AWS."""
    objects = templated(*(word for one in settings
                          for word in ("--set", f"endpoints.{one}")))
    [policy] = [one for one in of_kind(objects, "NetworkPolicy")
                if one["metadata"]["name"] == "secretsfs-worker"]
    for version in KUBERNETES:
        check_equal(fault_of(policy, version), None, version)
    [rule] = [one for one in policy["spec"]["egress"]
              if {"port": 443, "protocol": "TCP"} in one["ports"]]
    return [one["port"] for one in rule["ports"]]


@case
def the_port_of_an_endpoint_is_let_through():
    for settings, ports in (
            (["sts=https://sts.example.com"], [443]),
            (["sts=https://sts.example.com:443/"], [443]),
            (["sts=https://[fd00::1]:8443", "ssm=https://ssm.example:8443/",
              "secretsManager=https://10.0.0.1:9443"], [443, 8443, 9443])):
        check_equal(sorted(_https_ports(*settings)), ports, str(settings))


@case
def a_text_of_a_class_is_rendered_as_it_is():
    for text in ("  # far in\nkind: SecretProviderClass\n",
                 "\n\n   kind: SecretProviderClass\n   spec: {}\n",
                 "kind: SecretProviderClass\n"):
        with work_directory() as directory:
            path = write_file(os.path.join(directory, "class.yaml"), text)
            [found] = [one["data"] for one in
                       of_kind(templated("--set-file", f"classes.app={path}"),
                               "ConfigMap")]
        check_equal(found, {"app.yaml": text})


@case
def a_class_may_be_given_as_its_file():
    path = os.path.join(SOURCE, "docs/examples/kontox-secrets.yaml")
    objects = templated("--set-file", f"classes.kontox-secrets={path}",
                        "--set", f"identity.roleArn={ROLE}")
    _check_same("a file", objects, kustomized("examples/classes"))


@case
def the_page_has_every_value():
    [values] = parse(_read(CHART, "values.yaml"))
    page = _read(CHART, "README.md")
    told = set()
    for row in re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE):
        told.update(re.findall(r"`([^`]+)`", row))
    paths = {".".join(path) for path in _leaves(values)}

    def is_told(path):
        return any(path == one or path.startswith(one + ".") for one in told)
    check_equal(sorted(path for path in paths if not is_told(path)), [],
                "values that the page does not have")
    check_equal(sorted(one for one in told if not any(
        path == one or path.startswith(one + ".") for path in paths)), [],
                "rows of no value")


@case
def the_version_is_that_of_the_programs():
    version = re.search(r"^AC_INIT\(\[secretsfs\], \[(.*)\]\)",
                        _read(SOURCE, "configure.ac"), re.MULTILINE)[1]
    [about] = parse(_read(CHART, "Chart.yaml"))
    check_equal((about["version"], about["appVersion"]), (version, version))
    for one in of_kind(kustomized("base"), "DaemonSet"):
        [container] = one["spec"]["template"]["spec"]["containers"]
        check_equal(container["image"], f"secretsfs:{version}")


def _notes(directory, *arguments):
    """What helm says at the end, which it else says to a cluster only."""
    chart = tempfile.mkdtemp(dir=directory)
    shutil.copytree(CHART, chart, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("ci"))
    # the source may be read-only
    for folder in chart, os.path.join(chart, "templates"):
        os.chmod(folder, 0o755)
    write_file(os.path.join(chart, "templates/notes.yaml"),
               '{{ define "notes" }}' +
               _read(CHART, "templates/NOTES.txt") + """{{ end }}
kind: Notes
text: {{ include "notes" . | toJson }}
""")
    result = helm("template", *arguments, chart=chart)
    check_equal((result.returncode, result.stderr), (0, ""))
    [found] = of_kind(parse(result.stdout), "Notes")
    return found["text"]


@case
def the_notes_say_where_secrets_are_and_what_is_missing():
    with work_directory() as directory:
        full = _notes(directory, "-f", values_file("full"))
        bare = _notes(directory)
    for words in ("/run/secretsfs-other/mounts/shop/web\n",
                  "ds/secrets-keeper -- secretsfs status /secrets"):
        check(words in full, words, "is not in", full)
    for words in ("There are no classes yet", "No role is set"):
        check(words in bare, words, "is not in", bare)
        check(words not in full, words, "is in", full)


main(mounts=False)
