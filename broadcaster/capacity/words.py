"""How channels, numbers and times are written for people."""

from __future__ import annotations

from collections.abc import Callable

from broadcaster.ports import Medium

CHANNELS = {
    Medium.SMS: "短信",
    Medium.WECHAT: "微信",
    Medium.EMAIL: "邮件",
    Medium.VOICE: "电话",
    Medium.LOUDSPEAKER: "大喇叭",
}


def number(value: float) -> str:
    """12,345."""
    return f"{value:,.0f}"


def duration(seconds: float, translate: Callable[[str], str]) -> str:
    """3 minutes 20 seconds, 2 hours 5 minutes: two units at the most, rounded up so that nothing seems to take none."""
    whole = max(1, -int(-seconds // 1))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return translate("%(hours)s小时%(minutes)s分") % {"hours": number(hours), "minutes": str(minutes)}
    if minutes:
        return translate("%(minutes)s分%(seconds)s秒") % {"minutes": str(minutes), "seconds": str(rest)}
    return translate("%(seconds)s秒") % {"seconds": str(rest)}
