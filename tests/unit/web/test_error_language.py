"""Every error that the console or the interface can show has its English, whatever is put into it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiences.importing import cells
from broadcaster import errors
from broadcaster.alerts.lifecycle import Action
from broadcaster.alerts.state import State
from broadcaster.errands import carrier
from broadcaster.phrase import joined, ours, phrase, said
from broadcaster.rosters import import_work
from broadcaster.web import problems
from broadcaster.web.language import ENGLISH, catalogue

ROOT = Path(__file__).parents[3]
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DaohuError)}
AT_START = ("broadcaster.registry", "broadcaster.settings.loading", "broadcaster.settings.reading")
"""They judge the settings before there is a page, and speak on the command line."""
SPEAKING = (
    "broadcaster.web.pages",
    "broadcaster.alerts.geometry",
    "broadcaster.alerts.shapes",
    "broadcaster.alerts.form_errors",
    "broadcaster.settings.policies",
    "templates.checking",
)
"""Modules of which every Chinese text is for the reader of a page or of a problem document."""
NOT_SHOWN = {"_WRONG", "_TITLES", "_RADIUS"}
"""What goes out in a message, in the message's own language; the heads of a roster's columns; what is typed."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_VALUE = re.compile(r"%\((\w+)\)s")


def _modules() -> dict[str, Path]:
    found = {}
    for top in ("broadcaster", "audiences", "templates"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _reachable() -> Iterator[tuple[str, ast.Module]]:
    """The modules that the web package imports, whatever lies between."""
    modules, seen = _modules(), set[str]()
    waiting = [name for name in modules if name.startswith("broadcaster.web")]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        tree = ast.parse(modules[name].read_text(encoding="utf-8"))
        yield name, tree
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name in modules]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                waiting += [one for one in names if one in modules]


TREES = sorted(_reachable(), key=lambda one: one[0])


def _calls(names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    for module, tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                yield f"{module}:{node.lineno}", node


def _constants(node: ast.expr) -> Iterator[str] | None:
    """The texts that an expression can be; None where that is not written there."""
    match node:
        case ast.Constant(value=str(text)):
            return iter([text])
        case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
            return iter([one, other])
    return None


ELSEWHERE = {
    "broadcaster.dispatch.trials": ("phone.ALLOWED",),
}
"""Texts that the audiences' floor, which knows no core, has ready; they have a test of their own below."""


def _texts() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Where a text of an error is written, the text, and the names of the values that are given for it."""
    for place, call in _calls(ERRORS - {"OutdatedError"}):
        module = place.partition(":")[0]
        if module in AT_START or module == "broadcaster.errors":
            continue
        given = frozenset(one.arg for one in call.keywords if one.arg) - {"remedy", "after"}
        assert call.args or module == "broadcaster.web.pages.compose", place
        remedy = [one.value for one in call.keywords if one.arg == "remedy"]
        for node in (*call.args[:1], *remedy):
            texts = _constants(node)
            if texts is None:
                assert ast.unparse(node) in ELSEWHERE.get(module, ()), (
                    f"{place}: {ast.unparse(node)} cannot be looked up"
                )
                continue
            yield from ((place, text, given) for text in texts)


def _phrases() -> Iterator[tuple[str, str, frozenset[str]]]:
    for place, call in _calls({"phrase"}):
        if place.startswith("broadcaster.errors:"):
            continue
        texts = _constants(call.args[0])
        if texts is None:
            assert ast.unparse(call.args[0]).endswith(".template"), f"{place}: {ast.unparse(call)} cannot be looked up"
            continue
        yield from ((place, text, frozenset(one.arg for one in call.keywords if one.arg)) for text in texts)


def _english(text: str) -> str:
    return catalogue(ENGLISH).gettext(text)


@pytest.mark.parametrize("text", [*problems.DETAIL.values(), *problems.INTERNAL])
def test_what_no_error_of_ours_says_has_english(text: str) -> None:
    assert _english(text).isascii()


@pytest.mark.parametrize(
    "text",
    [
        carrier.GIVEN_UP,
        import_work.GIVEN_UP,
        import_work.FAILED,
        "这条预警已有更新，不再重发。 请在最新的预警中重发。",
        "这条预警已经结束或过期，不再重发。 如果险情还在，请发布更新。",
    ],
)
def test_why_an_errand_or_an_import_ended_before_its_end_has_english(text: str) -> None:
    assert _english(text).isascii()


def test_a_page_can_show_hundreds_of_errors() -> None:
    assert len(list(_texts())) > 300


@pytest.mark.parametrize(("place", "text", "given"), [*_texts(), *_phrases()])
def test_every_error_has_english_with_the_same_values(place: str, text: str, given: frozenset[str]) -> None:
    if not _CHINESE.search(text):
        return
    english = _english(text)
    assert english != text, place
    assert english.isascii(), place
    assert set(_VALUE.findall(text)) <= given
    assert set(_VALUE.findall(english)) == set(_VALUE.findall(text)), place
    if given:
        assert english % dict.fromkeys(given, "x")


def _chinese_of(tree: ast.Module) -> Iterator[str]:
    """Every Chinese text of a module but its docstrings and what no reader of a page sees."""
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed.add(node.value)
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") in NOT_SHOWN for target in node.targets):
            passed |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node not in passed and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node.value] if _CHINESE.search(node.value) else []


@pytest.mark.parametrize(
    "text", sorted({text for name, tree in TREES if name.startswith(SPEAKING) for text in _chinese_of(tree)})
)
def test_every_text_of_the_pages_code_has_english(text: str) -> None:
    assert _english(text) != text


JUDGING = ("adapters/cap", "adapters/cn12379", "adapters/bulletins", "adapters/ebd", "broadcaster/intake")
"""Whose reasons the page about a received message shows."""

OF_MESSAGES = {"remarks", "_COLOURS", "_COLOUR", "_CHINESE_COLOUR", "_OFFICE", "_CANCELLED", "_SEPARATORS"}
"""What is looked for in messages, and what is told of a visit."""


def _reasons() -> Iterator[tuple[str, str]]:
    """Where a text is written that may become a reason, and the text. Settings are judged at start, and how a visit to
    a source went is told to administrators: those are Chinese."""
    for path in sorted(one for folder in JUDGING for one in (ROOT / folder).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed: set[ast.AST] = set()
        for node in ast.walk(tree):
            settings = isinstance(node, ast.Call) and ast.unparse(node.func) in ("SettingsError", "remarks.append")
            looked_for = isinstance(node, ast.Assign) and any(
                getattr(target, "id", "") in OF_MESSAGES for target in node.targets
            )
            if settings or looked_for or path.name in ("house.py", "sign.py", "visiting.py"):
                passed |= set(ast.walk(node))
            elif isinstance(node, ast.Expr):
                passed.add(node.value)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or node in passed:
                continue
            if isinstance(node.value, str) and _CHINESE.search(node.value):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


@pytest.mark.parametrize(("place", "text"), list(_reasons()))
def test_every_reason_of_a_received_message_has_english_with_the_same_values(place: str, text: str) -> None:
    english = _english(text)
    assert english != text, place
    assert english.isascii(), place
    assert set(_VALUE.findall(english)) == set(_VALUE.findall(text)), place


@pytest.mark.parametrize("text", [*(state.chinese for state in State), *(action.chinese for action in Action)])
def test_states_and_deeds_have_english(text: str) -> None:
    assert _english(text).isascii()


@pytest.mark.parametrize(
    "text",
    [cells.EMAIL, cells.WECHAT, *_chinese_of(ast.parse((ROOT / "audiences/phone.py").read_text()))],
)
def test_the_audiences_words_about_numbers_have_english(text: str) -> None:
    assert _english(text).isascii()


def test_a_value_is_put_in_as_it_is_and_a_phrase_of_ours_is_translated() -> None:
    english = catalogue(ENGLISH)
    assert said(phrase("账户 %(name)s 已存在。", name="发布"), english) == "There is already an account 发布."
    assert (
        said(phrase("您没有%(deed)s的权限。", deed=ours("发布预警")), english)
        == "You do not have the right to issue an alert."
    )
    faults = joined(
        "；", [phrase("第 %(line)s 行：%(fault)s", line=2, fault=ours("多边形没有面积：不同的点少于 3 个"))] * 2
    )
    assert said(faults, english) == "; ".join(["Line 2: The polygon has no area: fewer than 3 different points"] * 2)


def test_an_error_is_the_chinese_text_wherever_nobody_asks_for_another() -> None:
    error = errors.ConflictError("账户 %(name)s 已存在。", remedy="请换一个名称。", name="100%")
    assert str(error) == "账户 100% 已存在。 请换一个名称。"
    assert error.args == ("账户 100% 已存在。",)
