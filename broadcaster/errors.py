"""The closed tree of errors that leave a context.

Each says what happened, to what, and what to do next. The edge that catches one maps it to its own form:
exit code (command line), problem document (HTTP, RFC 9457), form message (pages), row report (imports). The texts are
Chinese templates with their values beside them (`phrase.py`), so an edge can say them in its reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broadcaster.phrase import joined, ours, phrase


class DaohuError(Exception):
    """Base of every error that this system raises on purpose.

    `code` is a stable kebab-case name for machines; `remedy` is the next step for the person who reads it.
    """

    code = "error"
    remedy = ""

    def __init__(self, what: str, *, remedy: str = "", **values: object) -> None:
        """`values` are put where `what` and `remedy` say `%(name)s`."""
        self.what = phrase(what, **values) if values else what
        super().__init__(self.what)
        if remedy:
            self.remedy = phrase(remedy, **values) if values else remedy

    @property
    def sentence(self) -> str:
        """What happened and what to do next, to be shown beside a field."""
        return joined(" ", filter(None, (self.what, self.remedy)))

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class SettingsError(DaohuError):
    """A setting is missing or wrong; raised at start, with the key, where its value came from and what is allowed."""

    code = "settings"


class InputError(DaohuError):
    """What was given cannot be used: a file, a row, a document, a field. Nothing was changed."""

    code = "bad-input"


class RuleError(DaohuError):
    """A well-formed request that the rules forbid now (state, completeness, order). Nothing was changed."""

    code = "rule"


class ForbiddenError(DaohuError):
    """The caller is known but may not do this, or not in this region."""

    code = "forbidden"


class OutsideError(ForbiddenError):
    """The caller may do this, but not in the regions of these codes. They are codes until somebody who has the names at
    hand puts them in (`named`)."""

    def __init__(self, what: str, *, regions: Sequence[str], remedy: str = "", **values: object) -> None:
        super().__init__(what, remedy=remedy, regions=_called(regions, {}), **values)
        self.regions = tuple(regions)
        self._template = what
        self._values = values

    def named(self, names: Mapping[str, str]) -> None:
        """Say the regions by their names; one without a name keeps its code."""
        self.what = phrase(self._template, **{**self._values, "regions": _called(self.regions, names)})


def _called(regions: Sequence[str], names: Mapping[str, str]) -> str:
    return joined(
        "、", [names.get(code, code) if code else ours("全部地区") for code in regions] or [ours("（无地区）")]
    )


class UnauthenticatedError(DaohuError):
    """The caller is not known: no token, a wrong one, an expired one."""

    code = "unauthenticated"


class NotFoundError(DaohuError):
    """The thing named does not exist, or not for this caller."""

    code = "not-found"


class ArchivedError(DaohuError):
    """The thing was here and has been archived: its rows lie in files outside, its accounting is still here."""

    code = "archived"


class ConflictError(DaohuError):
    """Somebody else changed it first, or the same key was used for a different request."""

    code = "conflict"


class UnavailableError(DaohuError):
    """A part we need (database, doorbell, gateway, speech) does not answer; the same call may work later."""

    code = "unavailable"


class LimitedError(DaohuError):
    """Too much, too fast; nothing was done. `after` is how many seconds to wait."""

    code = "limited"

    def __init__(self, what: str, *, after: float, remedy: str = "", **values: object) -> None:
        super().__init__(what, remedy=remedy, **values)
        self.after = after


class OutdatedError(DaohuError):
    """The database demands a newer program than this one: it knows schema version `knows`, `needed` is demanded."""

    code = "outdated"
    remedy = "请在这台机器上升级程序（git pull，make setup），再启动。没有丢失任何东西。"

    def __init__(self, *, knows: int, needed: int) -> None:
        super().__init__(
            "程序太旧：它只懂第 %(knows)s 版数据库结构，数据库要求至少第 %(needed)s 版。", knows=knows, needed=needed
        )
        self.knows = knows
        self.needed = needed
