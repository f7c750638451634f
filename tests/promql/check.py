"""Parses every expression of the alert rules and of the dashboard, and a page of /metrics, with parsers of others.

usage: check.py ALERTS.yml DASHBOARD.json METRICS.txt; prints the metric names that the expressions select.

It refuses expressions that select what is not printed, metrics that nothing looks at, and metrics of ours that use or
are selected by a label that Prometheus itself puts on everything it scrapes: ours would be renamed on its way in.
"""

import json
import sys

import promql_parser
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

LABELS_OF_PROMETHEUS = {"job", "instance"}


def rules(path):
    with open(path, encoding="utf-8") as file:
        groups = yaml.safe_load(file)["groups"]
    for group in groups:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"] and rule["annotations"]["what_to_do"], rule
            yield rule["alert"], rule["expr"]


def panels(path):
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)), "two panels with one id"
    for panel in board["panels"]:
        for target in panel["targets"]:
            legend = target["legendFormat"]
            taken = [label for label in LABELS_OF_PROMETHEUS if "{{" + label + "}}" in legend]
            assert not taken, f"{panel['title']}: {legend!r} shows a label of Prometheus"
            yield panel["title"], target["expr"]


def selected(node, names):
    """Metric names under a node of a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        labels = {matcher.name for matcher in node.matchers.matchers}
        assert node.name == "up" or not labels & LABELS_OF_PROMETHEUS, f"{node.name}: {labels}"
        names.add(node.name)
        return
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if hasattr(node, part):
            selected(getattr(node, part), names)
    for argument in getattr(node, "args", None) or []:
        selected(argument, names)


def main(alerts, dashboard, page):
    names = set()
    for title, expression in [*rules(alerts), *panels(dashboard)]:
        try:
            selected(promql_parser.parse(expression), names)
        except (ValueError, AssertionError) as error:
            sys.exit(f"{title}: {expression!r}: {error}")
    with open(page, encoding="utf-8") as file:
        families = list(text_string_to_metric_families(file.read()))
    samples = {sample.name for family in families for sample in family.samples}
    assert all(family.documentation for family in families), "a metric without a word of help"
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert not labels & LABELS_OF_PROMETHEUS, f"labels of Prometheus on metrics of ours: {labels}"
    missing = sorted(name for name in names if name != "up" and name not in samples)
    if missing:
        sys.exit(f"selected but not printed: {missing}")
    watched = lambda family: any(sample.name in names for sample in family.samples)
    unseen = sorted(family.name for family in families if family.samples and not watched(family))
    if unseen:
        sys.exit(f"printed, but in no alert and on no panel: {unseen}")
    print(" ".join(sorted(names)))


main(*sys.argv[1:])
