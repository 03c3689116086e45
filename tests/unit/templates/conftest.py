"""An office and alerts to render."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from broadcaster.alerts.alert import Alert, Colour, Info, Kind, MsgType, Status
from templates.issuer import Issuer

MakeAlert = Callable[..., Alert]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(
        name="鄞州区应急管理局",
        district="鄞州区",
        english="Yinzhou Emergency Management Bureau",
        english_district="Yinzhou District",
    )


@pytest.fixture
def make_alert() -> MakeAlert:
    """An alert of 23 November 2026, 21:30 Beijing time; keywords change it, `texts` go into its one info."""

    def make(
        hazard: str = "typhoon",
        colour: Colour | None = Colour.RED,
        *,
        kind: Kind = Kind.WARNING,
        msg_type: MsgType = MsgType.ALERT,
        status: Status = Status.ACTUAL,
        infos: tuple[Info, ...] | None = None,
        **texts: str,
    ) -> Alert:
        info = Info(
            event=texts.pop("event", ""),
            sender_name=texts.pop("sender_name", "鄞州区气象台"),
            expires=datetime(2026, 11, 24, 1, 30, tzinfo=UTC),
            **texts,  # type: ignore[arg-type]
        )
        return Alert(
            identifier="33021241600000_20261123213000",
            sender="yinzhou",
            sent=datetime(2026, 11, 23, 13, 30, tzinfo=UTC),
            status=status,
            msg_type=msg_type,
            kind=kind,
            hazard=hazard,
            colour=colour,
            infos=(info,) if infos is None else infos,
        )

    return make
