import json
from pathlib import Path

import msgspec
import pytest

from broadcaster.errors import SettingsError
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Account, Behaviour, Delay, Faults, Script, changed, check_script, read_script


def test_a_script_survives_json() -> None:
    script = Script(seed=7, sms=Behaviour(loss=0.1, failures={"空号": 0.2}), accounts={"a": Account(password="p")})
    assert check_script(json.loads(script.to_json()), "test") == script


def test_options_change_single_keys_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"seed": 1, "sms": {"loss": 0.5, "rate": 100}}')
    script = read_script(path, ("seed=7", "sms.loss=0.25", 'voice.duty.key="9"', "sms.receipt.median=0.5"))
    assert script.seed == 7
    assert (script.sms.loss, script.sms.rate, script.sms.receipt.median) == (0.25, 100, 0.5)
    assert script.accounts == {}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"sms": {"los": 0.1}}, "los"),
        ({"sms": {"loss": 2}}, "$.sms.loss"),
        ({"sms": {"duty": {"asks": "("}}}, "$.sms.duty"),
        ({"wechat": {"receipt_names": "nobody"}}, "$.wechat.receipt_names"),
        ({"accounts": {"a": {"behaviour": {"rate": -1}}}}, "rate"),
        ([], "object"),
    ],
)
def test_a_wrong_key_is_named(document: object, named: str) -> None:
    with pytest.raises(SettingsError) as error:
        check_script(document, "test.json")
    assert named in str(error.value)
    assert "test.json" in str(error.value)


@pytest.mark.parametrize("option", ["seed", "seed.part=1", "sms.loss=much"])
def test_a_wrong_option_is_a_settings_error(option: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"seed": 1}')
    with pytest.raises(SettingsError):
        read_script(path, (option,))


@pytest.mark.parametrize("content", ["{", "\x00", None])
def test_a_file_that_is_no_json_is_a_settings_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=r"script\.json"):
        read_script(path)


def test_changes_are_laid_over_part_by_part() -> None:
    behaviour = Behaviour(loss=0.1, faults=Faults(cut=0.2, hang=0.1), failures={"空号": 0.2})
    after = changed(behaviour, {"rate": 5, "faults": {"cut": 0}, "failures": {"停机": 0.1}})
    assert after == Behaviour(loss=0.1, rate=5, faults=Faults(hang=0.1), failures={"停机": 0.1})


@pytest.mark.parametrize("changes", [{"loss": 2}, {"unknown": 1}, [1], {"duty": {"asks": "("}}])
def test_changes_that_do_not_fit_are_refused(changes: object) -> None:
    with pytest.raises(SettingsError):
        changed(Behaviour(), changes)


def test_an_account_may_behave_in_its_own_way() -> None:
    own = Behaviour(answer=Delay(median=3))
    script = Script(accounts={"slow": Account(behaviour=own)})
    assert script.behaviour(Medium.SMS, "slow") is own
    assert script.behaviour(Medium.SMS, "other") is script.sms


def test_a_script_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        msgspec.structs.replace(Script(), seed=1).seed = 2  # type: ignore[misc]
