"""Every public test message is judged as its manifest says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from adapters import cap, cn12379
from adapters.cap import Verdict


@pytest.fixture(scope="module")
def messages(shared: Path) -> Path:
    return shared / "data" / "cap"


def _expected(expect: str) -> set[Verdict]:
    """`accept` lets warnings pass; signatures are not verified, so a bad one is only told; the dialect is not CAP."""
    accepted = {Verdict.ACCEPTED, Verdict.WITH_WARNINGS}
    if expect == "reject:signature":
        return {Verdict.WITH_WARNINGS}
    return accepted if expect == "accept" else {Verdict.REFUSED}


def test_every_file_is_judged_as_the_manifest_says(messages: Path) -> None:
    with (messages / "manifest.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert len(rows) > 50
    wrong = []
    for row in rows:
        judgement = cap.judge(messages / row["path"])
        if judgement.verdict not in _expected(row["expect"]):
            wrong.append((row["path"], row["expect"], judgement))
        if judgement.verdict is not Verdict.ACCEPTED:
            assert judgement.reasons
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("invalid/security/google_xee.cap", "DTD"),
        ("invalid/schema/google_invalid.cap", "缺少 <scope>"),
        ("invalid/schema/wmo_bf_invalid_schema.xml", "缺少 <severity>"),
        ("invalid/semantic/govuk_invalid_area_with_intersections.xml", "自相交"),
        ("invalid/semantic/govuk_wainfleet_cancel_with_missing_references.xml", "<references>"),
        ("invalid/wrong_root/wmo_sc0_no_identifier.xml", "不是预警消息"),
        ("realworld_nonconformant/google_earthquake_signed.cap", "<Signature>"),
        ("national_dialect_cn12379/33000041600000_20121025091026_11B01_BLUE_ALERT.xml", "cn12379"),
        ("valid/cap12/govuk_valid_area_polygon.xml", "没有闭合"),
    ],
)
def test_the_reason_is_the_one_that_matters(messages: Path, path: str, reason: str) -> None:
    assert any(reason in text for text in cap.judge(messages / path).reasons)


def test_every_accepted_message_is_written_again_as_cap_that_reads_the_same(messages: Path) -> None:
    for path in sorted((messages / "valid").rglob("*.*")):
        alert = cap.read(path.read_bytes())
        assert cap.read(cap.write(alert)) == alert, path


def test_the_national_dialect_has_its_own_reader(messages: Path) -> None:
    for path in (messages / "national_dialect_cn12379").iterdir():
        alert = cn12379.read(path.read_bytes())
        assert (alert.hazard, alert.colour, alert.sender) == ("typhoon", "blue", "33000041600000")
        assert cap.read(cap.write(alert)) == alert


def test_a_folder_is_judged_file_by_file(messages: Path) -> None:
    found = cap.summary(cap.judge_all([messages / "invalid" / "semantic", messages / "feeds" / "google_amber.rss"]))
    assert [entry["verdict"] for entry in found["files"]] == ["refused", "refused", "refused", "accepted"]
    assert all(set(entry) == {"path", "verdict", "reasons"} for entry in found["files"])
