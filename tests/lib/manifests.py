# SPDX-License-Identifier: Apache-2.0
"""What k8s/ renders to, as objects.

helm, kustomize and a Python that has YAML and Kubernetes' schemas are in a
directory that contrib/check makes; SECRETSFS_MANIFEST_TOOLS names it.
"""

import functools
import glob
import json
import os
import subprocess
import sys

from lib.place import BUILD, SOURCE
from lib.process import PATIENCE, environment

K8S = os.path.join(SOURCE, "k8s")
CHART = os.path.join(K8S, "chart")
TOOLS = os.environ.get("SECRETSFS_MANIFEST_TOOLS",
                       os.path.join(BUILD, "manifest-tools"))
NAMESPACE = "secretsfs"
# The oldest that the chart takes, and the newest that there are schemas for.
KUBERNETES = ("1.25", "1.37")


def _tool(name):
    return os.path.join(TOOLS, "bin", name)


def go_on_with_tools():
    """In the Python of the tools, or not at all. To be called first."""
    python = _tool("python")
    if not os.path.exists(python):
        print(f"1..0 # SKIP there are no tools in {TOOLS} "
              "(contrib/check gets them)", flush=True)
        sys.exit(0)
    if os.path.realpath(sys.prefix) != os.path.realpath(TOOLS):
        os.execv(python, [python, *sys.argv])


def parse(text):
    """The documents of a text in YAML."""
    import yaml
    return [one for one in yaml.load_all(text, yaml.CSafeLoader)
            if one is not None]


def _run(*arguments):
    return subprocess.run(arguments, env=environment(), timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)


def _render(*arguments):
    result = _run(*arguments)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{arguments}: {result.stderr}")
    return parse(result.stdout)


@functools.cache
def kustomized(path):
    """The objects of a directory below k8s/. Not to be changed."""
    return _render(_tool("kustomize"), "build", os.path.join(K8S, path))


def values_file(name):
    return os.path.join(CHART, "ci", f"{name}-values.yaml")


def values_files():
    """The names of all that k8s/chart/ci has."""
    return sorted(os.path.basename(path).removesuffix("-values.yaml")
                  for path in glob.glob(values_file("*")))


def helm(command, *arguments, chart=CHART):
    """How helm ends, with what it says; the release is called secretsfs."""
    release = () if command == "lint" else ("secretsfs",)
    return _run(_tool("helm"), command, *release, chart,
                "--namespace", NAMESPACE, *arguments)


def templated(*arguments):
    """The objects of the chart."""
    result = helm("template", *arguments)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{arguments}: {result.stderr}")
    return parse(result.stdout)


@functools.cache
def charted(name):
    """The objects of the chart with a file of values; "": with none. Not to be
    changed."""
    return templated(*(("-f", values_file(name)) if name else ()))


def installations():
    """(name, objects) of every way in which the whole can be installed."""
    found = [(path, kustomized(path)) for path in
             ("base", *_below("overlays"), "examples/classes")]
    return found + [(f"chart {name}", charted(name))
                    for name in ("", *values_files())]


def _below(folder):
    return sorted(os.path.relpath(os.path.dirname(path), K8S) for path in
                  glob.glob(os.path.join(K8S, folder, "*",
                                         "kustomization.yaml")))


def overlays():
    return _below("overlays")


def examples():
    return _below("examples")


def all_renderings():
    """(name, objects) of everything that k8s/ has."""
    return installations() + [(path, kustomized(path)) for path in examples()
                              if path != "examples/classes"]


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def daemon_set(objects, component):
    """The one of "keeper" or of "worker"."""
    [found] = [one for one in of_kind(objects, "DaemonSet") if
               one["metadata"]["labels"]["app.kubernetes.io/component"] ==
               component]
    return found


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def container_of(workload):
    """The only one."""
    [found] = pod_of(workload)["containers"]
    return found


def classes_of(objects):
    """The class files of an installation, by name."""
    [found] = [one for one in of_kind(objects, "ConfigMap") if
               one["metadata"]["name"].endswith("-classes")]
    return found.get("data") or {}


def _closed(schema):
    """The schema of a CRD, without room for what it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    if isinstance(schema.get("properties"), dict) and \
            "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


@functools.cache
def _monitor_schema():
    path = os.path.join(TOOLS, "crds",
                        "monitoring.coreos.com_servicemonitors.yaml")
    with open(path, encoding="utf-8") as file:
        [crd] = parse(file.read())
    [version] = crd["spec"]["versions"]
    schema = _closed(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def fault_of(thing, version):
    """What Kubernetes would not take of an object; a field that it does not
    know is a fault, too. None: it would take it."""
    return _fault_of(json.dumps(thing), version)


@functools.cache
def _fault_of(text, version):
    import jsonschema
    import kubernetes_validate

    thing = json.loads(text)
    try:
        if thing["kind"] == "ServiceMonitor":
            jsonschema.validate(thing, _monitor_schema())
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except (jsonschema.ValidationError,
            kubernetes_validate.SchemaNotFoundError) as error:
        return error.message
    return None
