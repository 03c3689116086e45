"""`daohu plan` as its users run it: before an alert is issued, or for a number without any database."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.embedded import EmbeddedServers
from tests.harness.processes import last_object, run_daohu

FIRST_CODE = "22"
"""What the first alert that an installation issues is replied to with."""

SETTINGS = """
[district]
code = "330212"
name = "鄞州区"
[policies.orange]
households = [{ channels = ["sms"], wait = 60 }, { channels = ["email"], wait = 60 }]
loudspeakers = false
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
[[gateways]]
name = "town-sms"
channel = "sms"
driver = "rehearsal"
rate = 10
slots = 20
rehearsal = true
address = "unix:none.sock"
"""


@pytest.fixture(scope="module")
def office() -> Iterator[Path]:
    """A folder with settings, a village of three homes, and its head."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as name, EmbeddedServers(Path(name) / "data"):
        folder = Path(name)
        (folder / "daohu.toml").write_text(SETTINGS, encoding="utf-8")
        (folder / "places.csv").write_text(
            "编码,名称\n330212,鄞州区\n330212199,甲镇\n330212199201,甲村\n330212199201001,一网格\n", encoding="utf-8"
        )
        homes = "".join(f"h{n},330212199201001,户{n},138000000{n:02d},121.5,29.8\n" for n in range(1, 4))
        (folder / "homes.csv").write_text(f"住户编号,区域编码,户主,电话,经度,纬度\n{homes}", encoding="utf-8")
        (folder / "duties.csv").write_text(
            "人员编号,姓名,电话,区域编码,角色\na1,甲,13900000001,330212199201,村书记\n", encoding="utf-8"
        )
        run(folder, "import", "regions", "places.csv")
        run(folder, "import", "households", "homes.csv")
        run(folder, "import", "duties", "duties.csv")
        yield folder


def run(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = run_daohu(*words, folder=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def answered(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    return last_object(run(folder, *words, "--json", code=code).stdout)


def drafted(folder: Path, *options: str, **fields: Any) -> dict[str, Any]:
    alert = {
        "hazard": "rainstorm",
        "colour": "orange",
        "status": "Exercise",
        "headline": "鄞州区发布暴雨橙色预警",
        "description": "预计今天14时至20时，山区可能发生山洪。",
        "instruction": "请低洼处和溪边的住户立即转移到安置点。",
        "regions": ["330212199"],
        "valid_hours": 6,
        **fields,
    }
    (folder / "rain.json").write_text(json.dumps(alert), encoding="utf-8")
    return answered(folder, "issue", "rain.json", *options)


def test_a_draft_is_planned_with_what_it_would_take(office: Path) -> None:
    draft = drafted(office, "--draft")
    plan = answered(office, "plan", str(draft["id"]))
    sms, email = (step["channels"][0] for step in plan["forecast"]["steps"])
    assert (sms["messages"], sms["limit"], sms["verdict"]) == (3, "rate", "in_time")
    assert sms["parts"] == 3 * plan["forecast"]["text"]["parts_most"] > 3
    assert (email["messages"], email["limit"]) == (0, "no_gateway")
    assert plan["forecast"]["audience"]["units"] == 1
    assert {one["code"] for one in plan["findings"]} == {"no_gateway", "idle_slots", "parts"}
    assert answered(office, "plan", draft["identifier"])["alert_id"] == draft["id"]
    table = run(office, "plan", str(draft["id"])).stdout
    assert "来得及" in table
    assert "· 邮件没有可用于演练的网关，发不出去。" in table
    assert "20 个通道" in table
    assert "in time" in run(office, "plan", str(draft["id"]), "--lang", "en").stdout


def test_an_issued_alert_is_found_by_its_reply_code(office: Path) -> None:
    issued = drafted(office)
    assert answered(office, "plan", FIRST_CODE)["alert_id"] == issued["id"]
    assert answered(office, "status", FIRST_CODE)["id"] == issued["id"]


def test_an_actual_alert_has_no_gateway_here(office: Path) -> None:
    draft = drafted(office, "--draft", status="Actual")
    plan = answered(office, "plan", str(draft["id"]), code=1)
    assert "no_gateway" in {one["code"] for one in plan["findings"]}
    assert any("现有的网关只用于演练" in one["remedy"] for one in plan["findings"])


def test_an_area_with_nobody_is_refused(office: Path) -> None:
    draft = drafted(office, "--draft", regions=["330212998"])
    assert "没有任何住户" in answered(office, "plan", str(draft["id"]), code=1)["error"]["what"]


@pytest.mark.parametrize("which", ["99", "123456789", "no-such-identifier", "9" * 30])
def test_an_alert_that_is_not_there_is_said(office: Path, which: str) -> None:
    assert answered(office, "plan", which, code=1)["error"]["code"] == "not-found"


def bare(folder: Path) -> Path:
    """Settings that lead to a database which is not there."""
    folder.joinpath("daohu.toml").write_text(
        f'[database]\nurl = "postgres://a@127.0.0.1:1/b"\n{SETTINGS}', encoding="utf-8"
    )
    return folder


def test_a_number_of_recipients_needs_no_database(tmp_path: Path) -> None:
    folder = bare(tmp_path)
    (folder / "text.txt").write_text("雨" * 71, encoding="utf-8")
    plan = answered(folder, "plan", "--recipients", "1000", "--exercise", "--answer", "0", "--text", "text.txt")
    [channel] = plan["forecast"]["steps"][0]["channels"]
    assert (channel["messages"], channel["parts"], channel["finishes"]) == (1000, 2000, 101)
    assert plan["alert_id"] is None
    shorter = answered(folder, "plan", "--recipients", "1000", "--exercise", "--answer", "250")
    assert shorter["forecast"]["steps"][0]["channels"][0]["finishes"] == pytest.approx(126)


def test_a_number_of_recipients_without_a_gateway_is_an_error(tmp_path: Path) -> None:
    folder = bare(tmp_path)
    assert answered(folder, "plan", "--recipients", "10", code=1)["findings"][0]["code"] == "no_gateway"
    assert answered(folder, "plan", "--recipients", "10", "--channel", "voice", "--exercise", code=1)["findings"]


@pytest.mark.parametrize(
    "words",
    [
        "plan",
        "plan 1 --recipients 5",
        "plan --recipients 0",
        "plan --recipients x",
        "plan --recipients 5 --channel pigeon",
        "plan --recipients 5 --text none.txt",
        "plan --recipients 5 --text empty.txt",
        "plan --recipients 5 --text bytes.txt",
        "plan --recipients 5 --text .",
        "plan --recipients 5 --lang fr",
        "plan --recipients 5 --answer -1",
        "plan --recipients 5 --throughput 0",
        "plan 1 --exercise",
        "plan 1 --channel voice",
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, words: str) -> None:
    folder = bare(tmp_path)
    (folder / "empty.txt").write_text(" \n", encoding="utf-8")
    (folder / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    done = run(folder, *words.split(), code=2)
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
