"""Whatever is written into the audit trail can be read there in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from broadcaster.security.permissions import Action
from broadcaster.web.pages.words import WORDS

ROOT = Path(__file__).parents[3]
KNOWN = set(WORDS["audit_action"])
STEPS = {action.value for action in Action if action.value.startswith("alert.") and action is not Action.SEE}


def _recorded() -> Iterator[tuple[str, str]]:
    """Where `audit.append` is called, with the name of what was done; constants of the module by their value."""
    for path in sorted((ROOT / "broadcaster").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.append"):
                continue
            what = node.args[2]
            if isinstance(what, ast.Constant):
                yield path.name, str(what.value)
            elif isinstance(what, ast.Name) and what.id in constants:
                yield path.name, str(constants[what.id])
            elif isinstance(what, ast.Attribute) and ast.unparse(what.value).startswith("Action."):
                yield path.name, Action[ast.unparse(what.value).removeprefix("Action.")].value


def test_everything_that_is_recorded_has_a_word() -> None:
    recorded = list(_recorded())
    assert len(recorded) > 20
    assert [(where, what) for where, what in recorded if what not in KNOWN] == []
    assert STEPS <= KNOWN
    assert set(WORDS["deed"]) >= KNOWN, "an alert's timeline has no word for it"
