"""A daohu of the next version: a copy of the program with one migration more, run as its own process."""

from __future__ import annotations

import shutil
from pathlib import Path

from broadcaster.schema import VERSION
from tests.harness.processes import ROOT

PACKAGES = ("broadcaster", "audiences", "channels", "adapters", "templates")

MIGRATION = '''
"""One more."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("broadcaster", "{after}")]
    initial = False
    operations = [ops.RunSQL("""{sql}""")]
'''


def newer_program(folder: Path, sql: str, *, breaks: bool) -> dict[str, str]:
    """A program in `folder` whose schema has one change more; the environment that runs it. `breaks`: programs of this
    version cannot live with it."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    migrations = folder / "broadcaster" / "migrations"
    last = max(path.stem for path in migrations.glob("0*.py"))
    name = f"{int(last[:4]) + 1:04}_future"
    (migrations / f"{name}.py").write_text(MIGRATION.format(after=last, sql=sql), encoding="utf-8")
    schema = folder / "broadcaster" / "schema.py"
    needs = VERSION + 1 if breaks else VERSION
    known = schema.read_text(encoding="utf-8")
    end = known.index("\n)\n", known.index("CHANGES = ("))
    line = f'\n    Change({VERSION + 1}, "broadcaster", "{name}", needs={needs}),'
    schema.write_text(known[:end] + line + known[end:], encoding="utf-8")
    return {"PYTHONPATH": str(folder)}
