# SPDX-License-Identifier: Apache-2.0
"""Dashboard and alerts: they name metrics and labels that there are, and
Prometheus's own tool takes what they ask."""

import json
import os
import re
import subprocess

from lib.metrics import documented, family_of, promtool
from lib.place import SOURCE, work_directory, write_file
from lib.tap import case, check, check_equal, main

RULES = os.path.join(SOURCE, "contrib/prometheus/secretsfs.rules.yaml")
RULES_TEST = os.path.join(SOURCE,
                          "contrib/prometheus/secretsfs.rules.test.yaml")
DASHBOARD = os.path.join(SOURCE, "contrib/grafana/secretsfs.json")
# That Prometheus adds, and its operator.
TARGET_LABELS = {"instance", "job", "endpoint", "namespace", "pod",
                 "container", "service", "node"}

_NAME = re.compile(r"\bsecretsfs_[a-z_]+")
# Of Prometheus itself; the job is that of the chart's ServiceMonitor.
_UP = 'up{job="secretsfs"}'
_SELECTOR = re.compile(r"\b(secretsfs_[a-z_]+)\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!=|!~|=)")


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _dashboard():
    return json.loads(_text(DASHBOARD))


def _targets():
    """(title of its panel, expression) of all that the dashboard asks."""
    return [(panel["title"], target["expr"])
            for panel in _dashboard()["panels"]
            for target in panel.get("targets", [])]


def _alerts():
    """(its line, expression) of each alert."""
    return re.findall(r"- alert: (\w+)\n\s+expr: (.*)\n", _text(RULES))


def _check_names(asked):
    known = documented()
    for where, text in asked:
        names = _NAME.findall(text)
        check(names or _UP in text, where, "asks for no metric:", text)
        for name in names:
            check(family_of(name, known), where, "asks for", name)
        for name, matchers in _SELECTOR.findall(text):
            labels = known[family_of(name, known)].labels | TARGET_LABELS
            for label in _MATCHER.findall(matchers):
                check(label in labels, where, "asks for", label, "of", name)


@case
def no_label_is_one_that_a_target_has():
    for name, about in documented().items():
        check_equal(about.labels & TARGET_LABELS, set(),
                    f"{name} would come as exported_...")


@case
def every_metric_and_label_of_the_dashboard_is_documented():
    check(len(_targets()) > 20, "there is a dashboard")
    _check_names(_targets())
    _check_names([(one["name"], one["query"]["query"])
                  for one in _dashboard()["templating"]["list"]
                  if one["type"] == "query"])


@case
def every_metric_and_label_of_an_alert_is_documented():
    check_equal(len(_alerts()), _text(RULES).count("- alert:"), "alerts")
    check(len(_alerts()) > 5, "there are alerts")
    _check_names(_alerts())


@case
def every_documented_metric_is_on_the_dashboard():
    shown = {family_of(name, documented())
             for _, text in _targets() for name in _NAME.findall(text)}
    # what a key count or the next confirmation is, is for who debugs
    rest = {"secretsfs_object_key", "secretsfs_object_keys",
            "secretsfs_object_next_confirmation_seconds"}
    check_equal(set(documented()) - shown, rest, "not on the dashboard")


def _overlap(one, other):
    one, other = one["gridPos"], other["gridPos"]
    return (one["x"] < other["x"] + other["w"] and
            other["x"] < one["x"] + one["w"] and
            one["y"] < other["y"] + other["h"] and
            other["y"] < one["y"] + one["h"])


@case
def the_dashboard_can_be_imported():
    found = _dashboard()
    panels = found["panels"]
    ids = [panel["id"] for panel in panels]
    check_equal(len(set(ids)), len(ids), "panels of one id")
    for panel in panels:
        place = panel["gridPos"]
        check(place["x"] + place["w"] <= 24, panel["title"], "is too wide")
        for other in panels:
            check(panel is other or not _overlap(panel, other),
                  panel["title"], "lies upon", other["title"])
        if panel["type"] == "row":
            continue
        for target in panel["targets"]:
            check_equal(target["datasource"]["uid"], "${datasource}")
    names = {one["name"] for one in found["templating"]["list"]}
    used = set(re.findall(r"\$(?!__)(\w+)", _text(DASHBOARD)))
    check_equal(used - names - {"datasource"}, set(), "unknown variables")


def _run_promtool(*arguments):
    result = subprocess.run([promtool(), *arguments], capture_output=True,
                            text=True, timeout=60, check=False)
    check_equal(result.returncode, 0, result.stdout + result.stderr)


@case
def promtool_takes_the_alerts_and_they_fire_as_they_should():
    _run_promtool("check", "rules", "--lint-fatal", RULES)
    _run_promtool("test", "rules", RULES_TEST)


@case
def promtool_takes_every_expression_of_the_dashboard():
    lines = ["groups:", "- name: dashboard", "  rules:"]
    for number, (_, text) in enumerate(_targets()):
        text = re.sub(r"\$__(rate_interval|range)", "5m", text)
        lines += [f"  - record: dashboard_{number}",
                  f"    expr: {json.dumps(text)}"]
    with work_directory() as directory:
        _run_promtool("check", "rules", write_file(
            os.path.join(directory, "dashboard.yaml"), "\n".join(lines)))


main(mounts=False)
