"""The short JSON form."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts import areas, lifecycle
from broadcaster.alerts.alert import Alert, Category, Circle, Kind, MsgType, NamedValue, Reference, Severity
from broadcaster.alerts.form import decode
from broadcaster.errors import InputError
from tests.harness.alerts import NOW

MINIMAL: dict[str, Any] = {
    "hazard": "typhoon",
    "colour": "red",
    "regions": ["330212106"],
    "headline": "台风红色预警",
    "instruction": "请立即转移",
    "valid_hours": 6,
}


def _decode(body: object) -> Alert:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(data, now=NOW, sender="daohu.330212", identifier="330212_1")


def test_six_fields_make_an_alert_that_can_be_issued() -> None:
    alert = _decode(MINIMAL)
    assert lifecycle.issuable(alert, NOW) == []
    assert areas.regions(alert) == ("330212106",)
    info = alert.infos[0]
    assert (info.event, info.categories, info.severity) == ("台风", (Category.MET,), Severity.EXTREME)
    assert info.event_codes == (NamedValue("GB/T 35561", "11B01"),)
    assert alert.expires == NOW + timedelta(hours=6)


def test_an_empty_draft_is_allowed_and_knows_what_it_lacks() -> None:
    found = {finding.code for finding in lifecycle.issuable(_decode({}), NOW)}
    assert {"hazard", "colour", "headline", "instruction", "expires", "area"} <= found


def test_everything_that_can_be_said_is_said() -> None:
    body = {
        **MINIMAL,
        "kind": "mobilization",
        "msg_type": "Update",
        "references": ["330212_0", "other, 330212_00, 2026-08-09T08:00:00+08:00"],
        "effective": "2026-08-10T08:00:00.5+08:00",
        "areas": [
            {
                "description": "沿海",
                "polygons": [[[121, 29], [122, 29], [122, 30], [121, 29]]],
                "circles": [{"lon": 121.5, "lat": 29.5, "km": 3}],
            }
        ],
        "parameters": {"雨量": "200毫米"},
        "translations": [{"language": "en-US", "headline": "Typhoon", "event": "typhoon"}],
    }
    alert = _decode(body)
    assert (alert.kind, alert.msg_type) == (Kind.MOBILIZATION, MsgType.UPDATE)
    assert alert.references == (
        Reference("", "330212_0", None),
        Reference("other", "330212_00", datetime(2026, 8, 9, 0, 0, tzinfo=UTC)),
    )
    assert alert.effective == datetime(2026, 8, 10, 0, 0, tzinfo=UTC)
    assert areas.circles(alert) == (Circle(121.5, 29.5, 3.0),)
    english = alert.info("en-US")
    assert english is not None
    assert (english.event, english.headline, english.areas) == ("typhoon", "Typhoon", alert.infos[0].areas)


def test_without_a_colour_the_severity_is_unknown() -> None:
    alert = _decode({"kind": "all_clear", "hazard": "drill"})
    assert alert.colour is None
    assert alert.infos[0].severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("change", "path", "allowed"),
    [
        ({"colour": "pink"}, "colour", "red、orange、yellow、blue"),
        ({"hazard": "volcano"}, "hazard", "typhoon"),
        ({"headline": 3}, "headline", "应为文本"),
        ({"headline": "a\u0000b"}, "headline", "控制字符"),
        ({"urgent": True}, "urgent", "没有这个字段"),
        ({"valid_hours": 0}, "valid_hours", "> 0"),
        ({"expires": "2026-08-10T08:00:00+08:00"}, "expires、valid_hours", "只能写一个"),
        ({"effective": "2026-08-10T08:00:00"}, "effective", "时区"),
        ({"effective": "tomorrow"}, "effective", "时区"),
        ({"regions": ["33021"]}, "regions[0]", "6、9、12 或 15"),
        ({"regions": "330212"}, "regions", "应为列表"),
        ({"areas": [{"polygons": [[[1, 2], [3]]]}]}, "areas[0].polygons[0][1]", "2 项"),
        ({"areas": [{"polygons": [[[1, 2], [3, 4]]]}]}, "areas[0].polygons[0]", "4 个点"),
        ({"areas": [{"circles": [{"lon": 1, "lat": 2}]}]}, "areas[0].circles[0].km", "必须填写"),
        ({"areas": [{"circles": [{"lon": 1, "lat": 200, "km": 1}]}]}, "areas[0].circles[0]", "地球"),
        ({"areas": [{"regions": ["x"]}]}, "areas[0].regions[0]", "6、9、12 或 15"),
        ({"areas": [7]}, "areas[0]", "应为 JSON 对象"),
        ({"response_types": ["Run"]}, "response_types[0]", "Shelter"),
        ({"references": ["a,b"]}, "references[0]", "标识"),
        ({"references": ["a,b,c"]}, "references[0]", "标识"),
        ({"references": ["a,b,2026-08-10T08:00:00"]}, "references[0]", "标识"),
        ({"translations": [{"language": "zh-CN", "headline": "x"}]}, "translations", "一份"),
        ({"parameters": {"a": 1}}, "parameters[...]", "应为文本"),
        ({"parameters": {"a\u0001": "1"}}, "parameters", "控制字符"),
    ],
)
def test_a_wrong_field_is_named_with_its_path_and_what_is_allowed(
    change: dict[str, object], path: str, allowed: str
) -> None:
    with pytest.raises(InputError) as caught:
        _decode({**MINIMAL, **change})
    assert f"{path}：" in caught.value.what
    assert allowed in caught.value.what


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        _decode({"colour": "pink", "headline": 3, "areas": [{"circles": 1}, None]})
    for path in ("colour：", "headline：", "areas[0].circles：", "areas[1]："):
        assert path in caught.value.what


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000, b'{"headline": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        _decode(body)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_fields = [*MINIMAL, "areas", "translations", "effective", "kind", "references", "parameters", "response_types"]


@given(st.dictionaries(st.sampled_from(_fields), _values, max_size=6))
def test_no_body_whatever_breaks_the_form(body: dict[str, object]) -> None:
    with suppress(InputError):
        assert isinstance(_decode(body), Alert)
