"""The bench measures a real run: everything arrives, and the figures say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.processes import last_object, run_daohu

PROMISED = {
    "recipients", "plan_rows_per_s", "submitted_per_s", "receipted_per_s", "seconds", "rss_mb_max", "workers",
    "database", "duplicates", "lost",
}  # fmt: skip


def test_the_bench_sends_to_everybody_and_tells_what_it_took(tmp_path: Path) -> None:
    done = run_daohu(
        "bench", "dispatch", "--recipients", "2000", "--workers", "2", "--json", folder=tmp_path, within=120
    )
    assert done.returncode == 0, done.stderr
    figures = last_object(done.stdout)
    assert figures.keys() >= PROMISED
    assert (figures["recipients"], figures["workers"]) == (2000, 2)
    assert (figures["lost"], figures["duplicates"]) == (0, 0)
    assert 0 < figures["receipted_per_s"] <= figures["submitted_per_s"] * 1.01
    assert set(figures["cpu_us"]) == {"worker", "carrier", "database"}
    assert "| 2,000 | 2 |" in done.stdout


@pytest.mark.parametrize("driver", ["cmpp", "smpp"])
def test_the_bench_speaks_a_carriers_protocol(tmp_path: Path, driver: str) -> None:
    done = run_daohu(
        "bench", "dispatch", "--recipients", "1000", "--driver", driver, "--json", folder=tmp_path, within=120
    )
    assert done.returncode == 0, done.stderr
    figures = last_object(done.stdout)
    assert (figures["driver"], figures["lost"], figures["duplicates"]) == (driver, 0, 0)
    assert figures["parts"] >= 1


def test_the_bench_measures_each_driver_alone(tmp_path: Path) -> None:
    alone = ("cmpp", "smtp", "official", "wecom")
    done = run_daohu("bench", "driver", *alone, "--messages", "1000", "--json", folder=tmp_path, within=240)
    assert done.returncode == 0, done.stderr
    runs = last_object(done.stdout)["runs"]
    assert [(run["driver"], run["text"], bool(run["latency_ms"])) for run in runs] == [
        ("cmpp", "short", True),
        ("cmpp", "short", False),
        ("cmpp", "long", True),
        ("cmpp", "long", False),
        ("smtp", "short", True),
        ("smtp", "short", False),
        ("official", "short", True),
        ("official", "short", False),
        ("wecom", "short", True),
        ("wecom", "short", False),
    ]
    for run in runs:
        assert run["receipts"] == (run["messages"] if run["driver"] == "cmpp" else 0)
        assert 0 < run["share"] <= 1 if run["latency_ms"] else run["share"] == 0
        assert run["driver_cpu_us"] > 0
        assert run["sink_cpu_us"] > 0


def test_the_bench_says_where_the_time_went(tmp_path: Path) -> None:
    done = run_daohu("bench", "dispatch", "--recipients", "1000", "--profile", folder=tmp_path, within=120)
    assert done.returncode == 0, done.stderr
    assert "worker-1" in done.stderr
    assert "tottime" in done.stderr


def test_the_bench_refuses_a_database_that_is_not_there(tmp_path: Path) -> None:
    done = run_daohu("bench", "dispatch", "--database", "postgres://a@127.0.0.1:1/b", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert last_object(done.stdout)["error"]["code"] == "unavailable"


def test_the_bench_measures_speech(tmp_path: Path) -> None:
    (tmp_path / "daohu.toml").write_text(
        '[district]\ncode = "330212"\nname = "鄞州区"\n[[speech.engines]]\nengine = "xfyun"\nvoices = { zh = "x" }\n'
        'app_id = "a"\napi_key = "k"\napi_secret = "s"\nendpoint = "ws://127.0.0.1:9/v2/tts"\n'
    )
    done = run_daohu("bench", "speech", "--json", folder=tmp_path, within=120)
    assert done.returncode == 0, done.stderr
    figures = last_object(done.stdout)
    absent, espeak = figures["engines"]
    assert (absent["engine"], absent["speed"]) == ("xfyun", 0)
    assert absent["problem"]
    assert espeak["seconds"] > 10
    assert espeak["speed"] > 1
    assert {one["sound"] for one in figures["sounds"]} == {"mp3", "alaw", "ulaw", "pcm", "pcm16k", "opus", "amr"}
    assert all(one["again_ms"] < one["made_ms"] and one["octets"] > 10_000 for one in figures["sounds"])
    assert "| espeak |" in done.stdout
    assert "| mp3 |" in done.stdout
