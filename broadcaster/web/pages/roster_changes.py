"""What an import would change in single records, as far as its reader may see it: personal values are masked."""

from __future__ import annotations

from dataclasses import dataclass

from audiences import masking
from audiences.importing.differences import FieldChange, RecordChange
from broadcaster.security.permissions import Action, Actor, may

HIDDEN = "***"
_PERSONAL = {
    "household": frozenset({"name", "address", "lon", "lat", "tags"}),
    "person": frozenset({"name"}),
    "contact": frozenset({"phone", "wechat", "email"}),
}
_MEDIA = frozenset({"phone", "wechat", "email"})
_NAMES = frozenset({"name", "address"})
_BY_NUMBER = "tel:"
"""How the key of a person begins who has none but their number."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change as it is shown. `clear`: it shows personal values, which is noted in the audit."""

    row: int
    table: str
    key: str
    region: str
    fields: tuple[FieldChange, ...]
    clear: bool


def may_see(change: RecordChange, actor: Actor) -> bool:
    """Whether there are personal values in it that this reader may ask to see."""
    return _personal(change) and may(actor, Action.SEE_HOUSEHOLDS, [change.region])


def told(change: RecordChange, actor: Actor, *, plain: bool) -> Told:
    """The change, masked unless its reader asked to see it `plain` and may."""
    clear = plain and may_see(change, actor)
    key = change.key
    if key.startswith(_BY_NUMBER) and not clear:
        key = _BY_NUMBER + masking.address("phone", key.removeprefix(_BY_NUMBER))
    fields = change.fields if clear else tuple(_masked(change.table, one) for one in change.fields)
    return Told(change.row, change.table, key, change.region, fields, clear)


def _personal(change: RecordChange) -> bool:
    hidden = _PERSONAL.get(change.table, frozenset())
    return change.key.startswith(_BY_NUMBER) or any(one.field in hidden for one in change.fields)


def _masked(table: str, change: FieldChange) -> FieldChange:
    if change.field not in _PERSONAL.get(table, frozenset()):
        return change
    return FieldChange(change.field, _hidden(change.field, change.old), _hidden(change.field, change.new))


def _hidden(field: str, text: str) -> str:
    if not text:
        return ""
    if field in _MEDIA:
        return masking.address(field, text)
    return masking.name(text) if field in _NAMES else HIDDEN
