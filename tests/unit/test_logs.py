"""Every log line is an event with ids; what looks like personal data is masked before it is written."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from broadcaster.logs import LONGEST, MASK, configure_logs, mask_personal_data


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(level: str = "info", form: str = "json") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(level=level, form=form, stream=stream)
    return stream


def test_an_event_is_one_json_object_with_its_time_and_level() -> None:
    stream = written()
    structlog.get_logger().info("batch.settled", alert=7, batch=12)
    line = json.loads(stream.getvalue())
    assert {key: line[key] for key in ("event", "level", "alert", "batch")} == {
        "event": "batch.settled",
        "level": "info",
        "alert": 7,
        "batch": 12,
    }
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize(
    "value",
    [
        "13812345678",
        "+86 138 1234 5678",
        "0574-88221234",
        "330212198001011234",
        "zhang.san@example.com",
        13812345678,
        ["call 13812345678 now"],
        {"to": {"x": "13812345678"}},
    ],
)
def test_what_looks_like_personal_data_is_masked(value: Any) -> None:
    shown = json.dumps(mask_personal_data(None, "info", {"event": "e", "value": value}))
    assert "5678" not in shown
    assert "1234" not in shown
    assert "zhang" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "value", ["330212001001", "330212001001003", 1_780_000_000_000, "a13812345678f", 12, 0.5, True, None]
)
def test_ids_codes_and_times_are_left_alone(value: object) -> None:
    assert mask_personal_data(None, "info", {"value": value}) == {"value": value}


def test_values_of_personal_keys_never_appear() -> None:
    assert mask_personal_data(None, "info", {"phone": "12", "inner": {"token": "x"}}) == {
        "phone": MASK,
        "inner": {"token": MASK},
    }


def test_an_exception_is_written_without_the_personal_data_in_its_words() -> None:
    stream = written()
    try:
        raise ValueError("no route to 13812345678")
    except ValueError:
        structlog.get_logger().exception("courier.died", alert=7)
    line = json.loads(stream.getvalue())
    assert "ValueError" in line["exception"]
    assert "13812345678" not in stream.getvalue()


def test_libraries_are_heard_from_warning_on_in_the_same_form() -> None:
    stream = written()
    logging.getLogger("aiohttp.server").info("quiet")
    logging.getLogger("aiohttp.server").warning("failed for %s", "13812345678")
    line = json.loads(stream.getvalue())
    assert line["event"] == f"failed for {MASK}"
    assert line["logger"] == "aiohttp.server"


def test_text_for_people_says_the_same() -> None:
    stream = written(form="text")
    structlog.get_logger().warning("gateway.lost", gateway="town-sms")
    assert "gateway.lost" in stream.getvalue()
    assert "town-sms" in stream.getvalue()


def test_below_the_level_nothing_is_written() -> None:
    stream = written(level="error")
    structlog.get_logger().warning("gateway.lost")
    assert not stream.getvalue()


@pytest.mark.parametrize("written", ["-1", "a.", "+", "@a."])
def test_what_a_stranger_makes_long_is_cut_and_costs_no_more_than_it_is_long(written: str) -> None:
    text = f"begins {written * 20_000} ends"
    event = mask_personal_data(None, "error", {"error": text, "list": [text]})
    for shown in (event["error"], event["list"][0]):
        assert len(shown) <= LONGEST + 3
        assert shown.startswith("begins")
        assert shown.endswith("ends")


def test_the_longest_mail_address_is_masked_in_the_longest_line() -> None:
    address = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.example.cn"
    assert mask_personal_data(None, "error", {"error": f"to <{address}>"})["error"] == f"to <{MASK}>"
