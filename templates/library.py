"""Where template files are found: what an office wrote in the console, then its own folder, then the house's.

`<folder>/<medium>.<purpose>.<language>.j2` lays out one medium; `<folder>/wording.<language>.j2` holds a hazard's
sentences for all of them. A folder is a hazard's slug, a kind (mobilization, all_clear) or `base`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from broadcaster.errors import SettingsError
from broadcaster.ports import Medium
from templates import filters
from templates.skeleton import Purpose

MESSAGES = Path(__file__).parent / "messages"
BASE = "base"
WORDING = "wording"


@dataclass(frozen=True, slots=True)
class Page:
    """Which file is wanted: `kind` is the folder that goes before the hazard's (mobilization, all_clear), or ""."""

    medium: Medium
    purpose: Purpose
    language: str
    hazard: str
    kind: str = ""


class Library:
    """The template files, compiled when first used. Make a new one to see files that were added or changed."""

    def __init__(self, directory: Path | None = None, written: Mapping[str, str] | None = None) -> None:
        """`directory` is the setting `[messages] dir`; SettingsError if it is not a folder. `written` are texts by file
        name that go before all files."""
        if directory is not None and not directory.is_dir():
            raise SettingsError(
                "[messages] dir：%(directory)s 不是文件夹。",
                remedy="请写一个已有的文件夹，或去掉这项设置。",
                directory=directory,
            )
        self.directory = directory
        self.written = dict(written or {})
        self._plain = _environment(directory, self.written, escape=False)
        self._html = _environment(directory, self.written, escape=True)
        self.names = frozenset(self._plain.list_templates(extensions=["j2"]))

    def overlaid(self, written: Mapping[str, str]) -> Library:
        """The same files with the texts `written` before them, instead of those of this library. The last few are
        remembered, compiled."""
        return _overlaid(self.directory, tuple(sorted(written.items())))

    def source(self, name: str) -> str:
        """The text of a file as it is in force; "" where there is none."""
        return _source(self._plain, name)

    def in_folder(self, name: str) -> bool:
        """Whether the office's own folder has the file."""
        return self.directory is not None and (self.directory / name).is_file()

    def blocks(self, page: Page, names: Sequence[str], facts: Mapping[str, object]) -> dict[str, str]:
        """Render the blocks `names` of `page`'s most particular file; `html` is the one that is escaped.

        Raises SettingsError for a file that cannot be used.
        """
        layout = f"{BASE}/{page.medium}.{page.purpose}.{page.language}.j2"
        hazard = self._file(page, page.hazard) or layout
        first = self._file(page, page.kind) or hazard
        variables = {**facts, "layout": layout, "hazard": hazard}
        plain = [name for name in names if name != "html"]
        found = self._render(self._plain, first, plain, variables)
        if "html" in names:
            found |= self._render(self._html, first, ["html"], variables)
        return found

    def check(self) -> list[str]:
        """Compile every file; what is wrong with those that cannot be compiled, one line each."""
        faults = []
        for name in sorted(self.names):
            try:
                with _blamed(name):
                    self._plain.get_template(name)
            except SettingsError as error:
                faults.append(str(error))
        return faults

    def _file(self, page: Page, folder: str) -> str:
        layout = f"{folder}/{page.medium}.{page.purpose}.{page.language}.j2"
        wording = f"{folder}/{WORDING}.{page.language}.j2"
        return next((name for name in (layout, wording) if name in self.names), "")

    @staticmethod
    def _render(
        environment: ImmutableSandboxedEnvironment, name: str, blocks: list[str], variables: Mapping[str, object]
    ) -> dict[str, str]:
        with _blamed(name):
            template = environment.get_template(name)
            context = template.new_context(dict(variables))
            for _ in template.root_render_func(context):
                pass  # runs the chain of `extends`, which gathers every block; the root itself says nothing
            missing = [block for block in blocks if block not in context.blocks]
            if missing:
                raise SettingsError(
                    "模板 %(name)s 中没有 %(block)s 这一块。", remedy="请继承通用版式。", name=name, block=missing[0]
                )
            return {block: "".join(context.blocks[block][0](context)) for block in blocks}


@lru_cache(maxsize=4)
def _overlaid(directory: Path | None, written: tuple[tuple[str, str], ...]) -> Library:
    return Library(directory, dict(written))


def _source(environment: ImmutableSandboxedEnvironment, name: str) -> str:
    try:
        return environment.loader.get_source(environment, name)[0] if environment.loader is not None else ""
    except TemplateNotFound:
        return ""


def _environment(directory: Path | None, written: Mapping[str, str], *, escape: bool) -> ImmutableSandboxedEnvironment:
    house = FileSystemLoader(MESSAGES)
    own = [FileSystemLoader(directory)] if directory is not None else []
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([DictLoader(dict(written)), *own, house, PrefixLoader({"house": house})]),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(filters.FILTERS)
    return environment


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise SettingsError(
            "模板 %(name)s 第 %(line)s 行：%(message)s。",
            remedy="请改正这个文件，或删去它，改用自带的模板。",
            name=error.name or name,
            line=error.lineno,
            message=error.message,
        ) from error
    except (
        TemplateError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise SettingsError(
            "模板 %(name)s：%(error)s。",
            remedy="只能用 templates/README.md 列出的变量和过滤器。",
            name=name,
            error=error,
        ) from error


BUILT_IN = Library()
"""The templates that come with the house, without any of an office's own."""
