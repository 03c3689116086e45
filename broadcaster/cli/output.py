"""Where words go: results to standard output, everything on the way there to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


def say(words: str = "") -> None:
    """A line of the result."""
    typer.echo(words)


def note(words: str) -> None:
    """A line about what happens."""
    typer.echo(words, err=True)


def complain(what: str, *, remedy: str = "") -> None:
    """What went wrong, and what to do."""
    typer.secho(what, err=True, fg=typer.colors.RED)
    if remedy.strip():
        typer.echo(remedy.strip(), err=True)


def answer(content: dict[str, Any]) -> None:
    """The JSON object that ends the output of a command with --json."""
    typer.echo(json.dumps(content, ensure_ascii=False, default=str))


def on_terminal() -> bool:
    """Whether a person is watching."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def screen() -> Console:
    """For tables and progress, on standard error."""
    return Console(stderr=True)


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """A progress bar on standard error; nothing but its end is drawn where nobody watches."""
    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen(), transient=False) as progress:
        yield progress
