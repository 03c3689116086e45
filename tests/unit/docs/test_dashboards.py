"""What dashboards and rules ask for is what /metrics says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("broadcaster/gauges.py", "broadcaster/web/metrics.py", "broadcaster/web/health.py")
_NAME = re.compile(r"\bdaohu_[a-z_]+")


def said() -> set[str]:
    return {name for source in SOURCES for name in _NAME.findall((ROOT / source).read_text(encoding="utf-8"))}


@pytest.mark.parametrize("file", ["deploy/prometheus/daohu.rules.yml", "deploy/grafana/daohu.json"])
def test_every_number_that_is_asked_for_exists(file: str) -> None:
    asked = set(_NAME.findall((ROOT / file).read_text(encoding="utf-8")))
    assert asked
    assert asked <= said()


def test_the_dashboard_is_one() -> None:
    panels = json.loads((ROOT / "deploy/grafana/daohu.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_numbers_are_explained_where_people_look() -> None:
    explained = set(_NAME.findall((ROOT / "docs/operations.md").read_text(encoding="utf-8")))
    stages = {name for name in said() if name.startswith("daohu_alert_")}
    assert stages <= explained
    assert explained <= said()
