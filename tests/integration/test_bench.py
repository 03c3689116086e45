"""The bench measures a real run: everything arrives, and the figures say so."""

from __future__ import annotations

from pathlib import Path

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


def test_the_bench_says_where_the_time_went(tmp_path: Path) -> None:
    done = run_daohu("bench", "dispatch", "--recipients", "1000", "--profile", folder=tmp_path, within=120)
    assert done.returncode == 0, done.stderr
    assert "worker-1" in done.stderr
    assert "tottime" in done.stderr


def test_the_bench_refuses_a_database_that_is_not_there(tmp_path: Path) -> None:
    done = run_daohu("bench", "dispatch", "--database", "postgres://a@127.0.0.1:1/b", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert last_object(done.stdout)["error"]["code"] == "unavailable"
