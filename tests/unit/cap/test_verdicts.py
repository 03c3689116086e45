"""The verdict on every public test file, with its first reason, as `daohu cap check` tells it; kept beside this test.

Written anew with `python -m tests.unit.cap.test_verdicts` after a change that is meant.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.harness.processes import run_daohu

KEPT = Path(__file__).parent / "verdicts.tsv"
HEAD = "path\tverdict\treasons\tfirst"


def table(folder: Path) -> list[str]:
    """A line for each file below `folder`, in the order of their names."""
    done = run_daohu("cap", "check", str(folder), "--json", folder=folder, within=300)
    found = json.loads(done.stdout.splitlines()[-1])["files"]
    assert done.returncode == (1 if any(one["verdict"] == "refused" for one in found) else 0), done.stderr
    return [
        "\t".join(
            (
                str(Path(one["path"]).relative_to(folder)),
                one["verdict"],
                str(len(one["reasons"])),
                one["reasons"][0] if one["reasons"] else "",
            )
        )
        for one in found
    ]


def test_every_file_is_judged_as_it_was(shared: Path) -> None:
    assert table(shared / "data" / "cap") == KEPT.read_text(encoding="utf-8").splitlines()[1:]


if __name__ == "__main__":
    KEPT.write_text("\n".join([HEAD, *table(Path(sys.argv[1]))]) + "\n", encoding="utf-8")
