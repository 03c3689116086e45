"""The commands as their users run them: real processes, exit codes, and one JSON object at the end with --json."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.embedded import EmbeddedServers
from tests.contract.wechat_peer import FIELDS
from tests.contract.wechat_peer import settings as wechat_settings
from tests.harness.cloud import running_cloud
from tests.harness.ports import free_port
from tests.harness.processes import DaohuProcess, last_object, run_daohu

VALID = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x</identifier></alert>"""


@pytest.fixture(scope="module")
def office() -> Iterator[Path]:
    """A folder in which `daohu init` has been run. Its name is short, for the sockets; its servers stay, for speed."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as name, EmbeddedServers(Path(name) / "data"):
        folder = Path(name)
        done = run_daohu("init", "--code", "330212", "--name", "鄞州区", "--json", folder=folder)
        assert done.returncode == 0, done.stderr
        (folder / "password").write_text(last_object(done.stdout)["password"])
        yield folder


def run(folder: Path, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = run_daohu(*words, folder=folder, environment=environment)
    assert done.returncode == code, done.stderr
    return done


def answered(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    return last_object(run(folder, *words, "--json", code=code).stdout)


def test_init_gives_a_password_once_and_never_overwrites(office: Path) -> None:
    before = (office / "daohu.toml").read_text()
    again = answered(office, "init", "--code", "110101", "--name", "别处")
    assert len((office / "password").read_text()) >= 12
    assert again["password"] == ""
    assert not again["written"]
    assert (office / "daohu.toml").read_text() == before


def test_doctor_examines_and_finds_nothing_broken(office: Path) -> None:
    found = answered(office, "doctor")
    assert found["ok"]
    assert {"数据库", "守恒", "审计", "时钟", "Redis", "语音引擎 espeak"} <= {
        check["name"] for check in found["checks"]
    }


def test_doctor_names_what_does_not_answer(office: Path) -> None:
    done = run(office, "doctor", code=1, DAOHU__DATABASE__URL="postgres://a:geheim@127.0.0.1:1/b")
    assert "连接不上数据库" in done.stdout
    assert "geheim" not in done.stderr + done.stdout


def test_status_without_alerts_is_empty_and_conserved(office: Path) -> None:
    assert answered(office, "status") == {"alerts": [], "conserved": True}
    assert answered(office, "status", "99", code=1)["error"]["code"] == "not-found"


def test_the_audit_trail_is_whole(office: Path) -> None:
    verdict = answered(office, "audit", "verify")
    assert verdict["whole"]
    assert verdict["entries"] >= 1
    head = f"{verdict['head']['seq']}:{'0' * 64}"
    assert not answered(office, "audit", "verify", "--head", head, code=1)["whole"]
    assert run(office, "audit", "verify", "--head", "x", code=2).stderr


def test_an_account_is_added_changed_given_a_token_and_switched_off(office: Path) -> None:
    added = answered(office, "account", "add", "wang.fang", "--role", "author", "--role", "viewer")
    assert len(added["password"]) >= 12
    assert answered(office, "account", "add", "wang.fang", "--role", "author", code=1)["error"]["code"] == "conflict"
    assert answered(office, "account", "add", "li", "--role", "king", code=2)["error"]["code"] == "bad-input"
    assert answered(office, "account", "token", "wang.fang", "--label", "气象局接口")["token"].startswith("dh_")
    answered(office, "account", "grant", "wang.fang", "--role", "approver", "--region", "330212101")
    assert answered(office, "account", "password", "wang.fang")["password"] != added["password"]
    answered(office, "account", "off", "wang.fang")
    answered(office, "account", "on", "wang.fang")
    assert answered(office, "account", "factor", "wang.fang", "--off")["second_factor"] is False
    assert answered(office, "account", "off", "admin", code=1)["error"]["code"] == "rule", "the last administrator"
    answered(office, "account", "off", "wang.fang")
    found = {one["name"]: one for one in answered(office, "account", "list")["accounts"]}
    assert found["wang.fang"]["grants"] == [{"role": "approver", "region": "330212101"}]
    assert not found["wang.fang"]["active"]
    assert answered(office, "account", "token", "wang.fang", "--label", "x", code=1)["error"]["code"] == "not-found"
    assert answered(office, "audit", "verify")["whole"]


def test_the_codes_of_villages_are_printed(office: Path) -> None:
    (office / "villages.csv").write_text(
        "编码,名称\n330212,鄞州区\n330212198,乙镇\n330212198201,乙村\n", encoding="utf-8"
    )
    answered(office, "import", "regions", "villages.csv")
    with running_cloud("official") as account:
        keys = {**wechat_settings("official", account.port).options, "name": "gzh", "channel": "wechat"}
        keys |= {"driver": "official", "rate": 10, "fields": None, "connect_timeout": 10, "answer_timeout": 10}
        lines = [f"{name} = {json.dumps(value)}" for name, value in keys.items() if value is not None]
        fields = [f'{theirs} = "{ours}"' for theirs, ours in FIELDS.items()]
        gateway = "\n".join(["[[gateways]]", *lines, "[gateways.fields]", *fields])
        (office / "wechat.toml").write_text(f"{(office / 'daohu.toml').read_text()}\n{gateway}\n", encoding="utf-8")
        config = ("--config", "wechat.toml")
        made = answered(office, "wechat", "qr", "330212198", "--out", "codes.pdf", *config)
        assert made == {"file": "codes.pdf", "codes": {"330212198201": "http://weixin.qq.com/q/02000000"}}
        assert (office / "codes.pdf").read_bytes().startswith(b"%PDF-")
        assert answered(office, "wechat", "qr", "110101", *config, code=1)["error"]["code"] == "not-found"
        assert answered(office, "wechat", "qr", "330212198", "--gateway", "x", *config, code=2)["error"]["code"]
    assert answered(office, "wechat", "qr", "330212198", code=2)["error"]["code"] == "settings", "no such gateway"


def test_duties_are_imported_and_a_complete_roster_ends_the_others(office: Path) -> None:
    (office / "places.csv").write_text(
        "编码,名称\n330212,鄞州区\n330212199,甲镇\n330212199201,甲村\n", encoding="utf-8"
    )
    answered(office, "import", "regions", "places.csv")
    head = "人员编号,姓名,电话,区域编码,角色\n"
    (office / "duties.csv").write_text(head + "a1,甲,13800000001,330212199201,村书记\n", encoding="utf-8")
    assert answered(office, "import", "duties", "duties.csv")["changes"]["duty"]["added"] == 1
    (office / "duties.csv").write_text(head + "a2,乙,13800000002,330212199201,村书记\n", encoding="utf-8")
    changes = answered(office, "import", "duties", "duties.csv", "--complete")["changes"]["duty"]
    assert (changes["added"], changes["deactivated"]) == (1, 1)


def test_an_import_reports_each_bad_row_and_keeps_the_good_ones(office: Path) -> None:
    rows = "编码,名称\n330212,鄞州区\n330212101,某镇\n3302,错\n"
    (office / "regions.csv").write_text(rows, encoding="utf-8")
    tried = answered(office, "import", "regions", "regions.csv", "--dry-run", code=1)
    assert tried["dry_run"]
    report = answered(office, "import", "regions", "regions.csv", code=1)
    assert sum(report["changes"]["region"][change] for change in ("added", "unchanged")) == 2
    assert [problem["row"] for problem in report["problems"]] == [4]
    (office / "regions.csv").write_text(rows.replace("3302,错\n", ""), encoding="utf-8")
    assert answered(office, "import", "regions", "regions.csv")["changes"]["region"]["unchanged"] == 2


def test_a_file_that_is_no_roster_is_wrong_usage(office: Path) -> None:
    (office / "bad.xlsx").write_bytes(b"not a workbook")
    for name in ("bad.xlsx", "none.csv"):
        assert answered(office, "import", "households", name, code=2)["error"]["what"]


def test_a_bad_alert_leaves_nothing_behind(office: Path) -> None:
    (office / "bad.json").write_text('{"hazard": "typhoon"}')
    (office / "worse.json").write_text("{")
    (office / "bad.xml").write_text(VALID)
    assert run(office, "issue", "bad.json", code=1).stderr
    for name in ("worse.json", "bad.xml", "none.json"):
        assert answered(office, "issue", name, code=2)["error"]["what"]
    assert answered(office, "status")["alerts"] == []
    assert answered(office, "status", "1", code=1)["error"]["code"] == "not-found"


def rain(region: str) -> str:
    return json.dumps(
        {
            "hazard": "rainstorm",
            "colour": "orange",
            "headline": "鄞州区发布暴雨橙色预警",
            "description": "预计今天14时至20时，山区可能发生山洪。",
            "instruction": "请低洼处和溪边的住户立即转移到安置点。",
            "regions": [region],
            "valid_hours": 6,
        }
    )


def test_what_the_command_line_issues_is_in_the_audit_and_what_may_go_wrong_is_said(office: Path) -> None:
    (office / "rain.json").write_text(rain("330212199201"))
    before = answered(office, "audit", "verify")["entries"]
    issued = answered(office, "issue", "rain.json")
    assert issued["state"] == "issued"
    nobody, no_gateway = issued["warnings"]
    assert "没有一户" in nobody
    assert "网关" in no_gateway
    assert answered(office, "audit", "verify")["entries"] == before + 1


def test_an_alert_that_would_reach_nobody_is_not_issued(office: Path) -> None:
    (office / "nowhere.json").write_text(rain("330212998"))
    refused = answered(office, "issue", "nowhere.json", code=1)["error"]
    assert "没有任何住户" in refused["what"]
    assert "区域代码" in refused["remedy"]
    assert [one["state"] for one in answered(office, "status")["alerts"]] == ["issued"]


def test_cap_files_are_judged(office: Path) -> None:
    (office / "bad.xml").write_text(VALID)
    found = answered(office, "cap", "check", "bad.xml", code=1)
    assert [(one["path"], one["verdict"]) for one in found["files"]] == [("bad.xml", "refused")]
    assert found["files"][0]["reasons"]
    assert run(office, "cap", "check", "none.xml", code=2).stderr


def fetched(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def test_serve_answers_and_stops_in_order(office: Path) -> None:
    port = free_port()
    with DaohuProcess("serve", folder=office, name="serve", environment={"DAOHU__WEB__PORT": str(port)}) as process:
        process.wait_for_log("web.listening")
        process.wait_for_log("worker.started")
        assert fetched(port, "/readyz")["status"] == "ready"
        assert any(
            check["name"] == "发送进程" and check["verdict"] == "ok" for check in answered(office, "doctor")["checks"]
        )
        assert process.stop() == 0
        assert "worker.stopped" in process.said()


def test_a_port_that_is_taken_is_said(office: Path) -> None:
    port = str(free_port())
    with DaohuProcess("serve", folder=office, name="first", environment={"DAOHU__WEB__PORT": port}) as process:
        process.wait_for_log("web.listening")
        done = run(office, "serve", code=1, DAOHU__WEB__PORT=port)
        assert port in done.stderr


def test_a_killed_serve_is_started_again_over_the_same_data() -> None:
    port = free_port()
    district = {"DAOHU__DISTRICT__CODE": "330212", "DAOHU__DISTRICT__NAME": "鄞州区", "DAOHU__WEB__PORT": str(port)}
    with tempfile.TemporaryDirectory(prefix="daohu-") as name:
        with DaohuProcess("serve", folder=Path(name), name="killed", environment=district) as process:
            for _ in range(2):
                process.wait_for_log("worker.started")
                process.kill()
                process.start()
            process.wait_for_log("web.listening")
            assert {check["outcome"] for check in fetched(port, "/readyz")["checks"]} == {"ok"}
            assert process.stop() == 0


def test_a_worker_stops_on_ctrl_c(office: Path) -> None:
    with DaohuProcess("worker", folder=office, name="worker") as process:
        process.wait_for_log("worker.started")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 0
