"""Alerts over the API: authored, moved along, replaced, and each only by who may."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web, form


async def test_an_alert_goes_from_json_to_issued(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}")
    assert answer.status == 200
    detail = await answer.json()
    assert detail["summary"]["state"] == "issued"
    assert detail["regions"] == [TOWN]
    assert detail["alert"]["infos"][0]["headline"] == "台风红色预警"
    assert web.bells.rung == ["dispatch"]
