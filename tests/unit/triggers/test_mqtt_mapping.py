"""Messages of any shape become readings as the settings say, and hostile ones become nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.mapping import MappingError, TopicOptions, readings
from adapters.mqtt.sensor import MqttSensor
from broadcaster.clock import SystemClock
from broadcaster.errors import SettingsError
from broadcaster.journal import GatewayJournal
from broadcaster.sensing import SensorSettings

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
FLAT = TopicOptions(
    topic="county/+/up",
    station="topic:1",
    time="json:ts",
    values={"data.level": "water_level", "data.rain": "rainfall"},
    scale={"water_level": 0.01},
)
LISTED = TopicOptions(
    topic="x",
    list="points",
    station="json:dev",
    time="json:t",
    element="json:k",
    value="json:v",
    names={"SW": "water_level"},
)


def found(options: TopicOptions, payload: str, topic: str = "county/s-1/up") -> list[tuple[str, str, str, float]]:
    return [
        (one.station, one.element, one.at.astimezone(UTC).isoformat(), one.value)
        for one in readings(options, topic, payload.encode(), NOW)
    ]


@pytest.mark.parametrize(
    ("time", "meant"),
    [
        ("1786302000", "2026-08-09T19:00:00+00:00"),
        ("1786302000000", "2026-08-09T19:00:00+00:00"),
        ('"1786302000"', "2026-08-09T19:00:00+00:00"),
        ('"2026-08-10T03:00:00+08:00"', "2026-08-09T19:00:00+00:00"),
        ('"2026-08-10 03:00:00"', "2026-08-09T19:00:00+00:00"),
    ],
)
def test_times_in_every_usual_form_are_the_same_moment(time: str, meant: str) -> None:
    payload = f'{{"ts": {time}, "data": {{"level": 345, "rain": "2.5"}}}}'
    assert found(FLAT, payload) == [("s-1", "water_level", meant, 3.45), ("s-1", "rainfall", meant, 2.5)]


def test_a_list_of_points_is_read_point_by_point() -> None:
    payload = (
        '{"dev": "s-9", "points": [{"t": 1786302000, "k": "SW", "v": 3}, {"t": 1786302300, "k": "flow", "v": true},'
        ' {"dev": 7, "t": 1786302300, "k": "flow", "v": null}]}'
    )
    assert [(station, element, value) for station, element, _, value in found(LISTED, payload)] == [
        ("s-9", "water_level", 3.0),
        ("s-9", "flow", 1.0),
    ]


@pytest.mark.parametrize(
    "payload", ["", "[", "7", '{"ts": "soon"}', '{"ts": 1e400}', '{"ts": true}', "[" * 100_000, '{"points": 3}', "\xff"]
)
def test_what_is_something_else_is_refused(payload: str) -> None:
    for options in (FLAT, LISTED):
        with pytest.raises(MappingError):
            found(options, payload)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["ts", "data", "level", "rain", "points", "dev", "t", "k", "v"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([FLAT, LISTED]))
def test_no_document_breaks_it(document: Any, options: TopicOptions) -> None:
    with suppress(MappingError):
        list(readings(options, "a", json.dumps(document).encode(), NOW))


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x"},
        {"topics": [{"topic": "a", "station": "topic:1"}]},
        {"topics": [{"topic": "$share/g/a", "station": "topic:1", "values": {"a": "b"}}]},
        {"topics": [{"topic": "a", "station": "path:1", "values": {"a": "b"}}]},
        {"share": "g", "version": "3.1.1"},
        {"tls": True, "ca": "/no/such/file"},
    ],
)
def test_wrong_settings_are_refused_with_their_key(wrong: dict[str, Any]) -> None:
    options = {"host": "h", "client_id": "c", "topics": [{"topic": "a", "station": "topic:0", "values": {"a": "b"}}]}
    given_options = {**options, **wrong} if "client_id" not in wrong else wrong
    settings = SensorSettings(name="iot", kind="mqtt", options=given_options)
    with pytest.raises(SettingsError, match="sensors\\[iot\\]"):
        MqttSensor(settings, GatewayJournal(SystemClock()))
