"""What of a forecast is worth a warning, and what would help. Written in Chinese; a catalogue has the English."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.capacity.forecast import AskForecast, ChannelForecast, Forecast, StepForecast, Verdict
from broadcaster.capacity.gateways import GatewayCapacity, Limit
from broadcaster.capacity.words import CHANNELS, duration, number
from broadcaster.ports import GatewaySettings, Medium

Translate = Callable[[str], str]
"""From a Chinese text to that of the reader's language."""


class Severity(StrEnum):
    """An error: somebody will not be told, or not in time. A warning: later than the policy means it."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`what` is the case and what to do (`remedy`). `step` counts the households' steps from 1; 0: none of them."""

    code: str
    severity: Severity
    channel: Medium | None
    step: int
    what: str
    remedy: str


def findings(forecast: Forecast, gateways: Sequence[GatewaySettings], translate: Translate) -> tuple[Finding, ...]:
    """Everything, errors first."""
    teller = _Teller(forecast, gateways, translate)
    found = [*teller.gateways(), *teller.steps(), *teller.loudspeakers(), *teller.asks(), *teller.about()]
    order = list(Severity)
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


class _Teller:
    """Says what is the case in the reader's language."""

    def __init__(self, forecast: Forecast, gateways: Sequence[GatewaySettings], translate: Translate) -> None:
        self._forecast = forecast
        self._gateways = gateways
        self._translate = translate

    def gateways(self) -> Iterator[Finding]:
        """Channels without a gateway, and settings that do less than they seem to."""
        for capacity in self._forecast.capacities:
            if capacity.limit is Limit.NO_GATEWAY:
                yield self._no_gateway(capacity.channel, needed=capacity.channel in self._forecast.channels_used)
            for gateway in capacity.gateways:
                configured = next(one for one in self._gateways if one.name == gateway.name)
                if gateway.slots < configured.slots:
                    yield self._tell(
                        "idle_slots",
                        Severity.NOTICE,
                        capacity.channel,
                        "网关 %(name)s 设了 %(slots)s 个通道，速率每秒 %(rate)s 条，只有 %(used)s 个通道有活可干。",
                        "请提高 rate，或减少 slots。",
                        name=gateway.name,
                        slots=number(configured.slots),
                        rate=f"{configured.rate:g}",
                        used=number(gateway.slots),
                    )
                if configured.rate > 1 and configured.rate != int(configured.rate):
                    yield self._tell(
                        "whole_rate",
                        Severity.NOTICE,
                        capacity.channel,
                        "网关 %(name)s 的速率按整条计：每秒 %(rate)s 条只用到 %(used)s 条。",
                        "请把 rate 写成整数。",
                        name=gateway.name,
                        rate=f"{configured.rate:g}",
                        used=number(int(configured.rate)),
                    )

    def _no_gateway(self, channel: Medium, *, needed: bool) -> Finding:
        """An error where somebody would be sent something by it."""
        others = any(one.channel is channel for one in self._gateways)
        rehearsal = self._forecast.rehearsal
        if others:
            remedy = (
                "现有的网关只用于真实发布；请加入标明 rehearsal = true 的网关。"
                if rehearsal
                else "现有的网关只用于演练；请加入没有标明 rehearsal 的网关。"
            )
        else:
            remedy = "请在设置中加入 [[gateways]]。"
        what = (
            "%(channel)s没有可用于演练的网关，发不出去。"
            if rehearsal
            else "%(channel)s没有可用于真实发布的网关，发不出去。"
        )
        return self._tell("no_gateway", Severity.ERROR if needed else Severity.NOTICE, channel, what, remedy)

    def steps(self) -> Iterator[Finding]:
        for step in self._forecast.steps:
            for one in step.channels:
                yield from self._late(one, step.begins, step.wait, step.number)
            yield from self._limit(step)

    def _late(self, one: ChannelForecast, begins: float, wait: float | None, step: int) -> Iterator[Finding]:
        expires_in = self._forecast.expires_in
        if one.finishes is None or one.verdict not in _LATE:
            return
        code, severity, what = _LATE[one.verdict]
        allowed = expires_in - begins if one.verdict is Verdict.AFTER_EXPIRY and expires_in is not None else wait
        remedy, values = self._faster(one, allowed or 0.0)
        yield self._tell(
            code,
            severity,
            one.channel,
            what,
            remedy,
            values,
            step=step,
            finishes=self._duration(one.finishes),
            expires=self._duration(expires_in or 0.0),
            lasts=self._duration(one.finishes - begins),
            wait=self._duration(wait or 0.0),
        )

    def _limit(self, step: StepForecast) -> Iterator[Finding]:
        for one in step.channels:
            if one.limit is Limit.WINDOW and one.messages:
                yield self._tell(
                    "window",
                    Severity.NOTICE,
                    one.channel,
                    "%(channel)s的限制不在速率，而在每个通道同时等待应答的条数。",
                    "请增加 slots，或增大驱动的 window。",
                    step=step.number,
                )

    def _faster(self, one: ChannelForecast, seconds: float) -> tuple[str, dict[str, str]]:
        """What would make it `seconds`, and the values in that."""
        machine = self._forecast.machine
        spare = seconds - machine.first_submit
        needed = math.ceil(one.messages / spare) if spare > 0 else None
        if needed is None:
            return "这段时间太短，任何速率都来不及；请在策略中延长等待。", {}
        if one.limit is Limit.MACHINE or needed > machine.submitted_per_s:
            return "一台机器发不了这么快：请增加运行 daohu worker 的机器，或缩小区域、延长等待。", {}
        values = {"needed": number(needed), "now": f"{one.per_second:,.1f}"}
        return "总速率提到每秒 %(needed)s 条就来得及（现为 %(now)s）：请提高速率，或再加一个网关。", values

    def loudspeakers(self) -> Iterator[Finding]:
        one = self._forecast.loudspeakers
        if one is not None:
            yield from self._late(one, 0.0, None, 0)

    def asks(self) -> Iterator[Finding]:
        for ask in self._forecast.asks:
            yield from self._ask(ask)

    def _ask(self, ask: AskForecast) -> Iterator[Finding]:
        for one in ask.channels:
            if one.finishes is not None and ask.wait and one.finishes - ask.begins > ask.wait:
                remedy, values = self._faster(one, ask.wait)
                yield self._tell(
                    "ask_after_wait",
                    Severity.WARNING,
                    one.channel,
                    "通知责任人的第 %(number)s 步，%(channel)s要 %(lasts)s 才发完，下一步 %(wait)s 后就开始。",
                    remedy,
                    values,
                    number=number(ask.number),
                    lasts=self._duration(one.finishes - ask.begins),
                    wait=self._duration(ask.wait),
                )

    def about(self) -> Iterator[Finding]:
        """What is to be known besides."""
        audience, text = self._forecast.audience, self._forecast.text
        if audience.unreachable:
            yield self._tell(
                "no_address",
                Severity.WARNING,
                None,
                "%(count)s 户没有这些渠道的联系方式，一发布就转入户任务。",
                "请补全名册。",
                count=number(audience.unreachable),
            )
        if audience.holderless:
            yield self._tell(
                "holderless",
                Severity.WARNING,
                None,
                "%(count)s 个责任单元没有能联系上的责任人，直接找上一级。",
                "请补全责任人名册。",
                count=number(audience.holderless),
            )
        for channel, count in self._forecast.waiting.items():
            yield self._tell(
                "waiting",
                Severity.NOTICE,
                channel,
                "%(channel)s上还有别的预警的 %(count)s 条要先发或同时发，已计算在内。",
                "",
                count=number(count),
            )
        if text is not None and text.parts_most > 1:
            gateways = list(self._sms_gateways())
            by_parts = bool(gateways) and all(one.by_parts for one in gateways)
            yield self._tell(
                "parts",
                Severity.NOTICE,
                Medium.SMS,
                "每条短信拆成 %(parts)s 条计费；速率按拆分后的条数计，已计算在内。"
                if by_parts
                else "每条短信拆成 %(parts)s 条计费；速率按整条短信计。",
                "" if by_parts else "如果运营商按拆分后的条数限速，请把 rate 除以 %(most)s。",
                parts=_range(text.parts_least, text.parts_most),
                most=str(text.parts_most),
            )

    def _sms_gateways(self) -> Iterator[GatewayCapacity]:
        for capacity in self._forecast.capacities:
            if capacity.channel is Medium.SMS:
                yield from capacity.gateways

    def _duration(self, seconds: float) -> str:
        return duration(seconds, self._translate)

    def _tell(
        self,
        code: str,
        severity: Severity,
        channel: Medium | None,
        what: str,
        remedy: str,
        values: Mapping[str, str] | None = None,
        *,
        step: int = 0,
        **more: str,
    ) -> Finding:
        filled = {**(values or {}), **more}
        if channel is not None:
            filled["channel"] = self._translate(CHANNELS[channel])
        said = [self._translate(text) % filled if text else "" for text in (what, remedy)]
        return Finding(code=code, severity=severity, channel=channel, step=step, what=said[0], remedy=said[1])


_LATE = {
    Verdict.AFTER_EXPIRY: (
        "after_expiry",
        Severity.ERROR,
        "%(channel)s要到发布后 %(finishes)s 才发完，预警 %(expires)s 后就失效，其余的不会再发。",
    ),
    Verdict.AFTER_WAIT: (
        "after_wait",
        Severity.WARNING,
        "%(channel)s要 %(lasts)s 才发完，比下一步之前的等待（%(wait)s）长：后发到的住户，下一步也会推迟。",
    ),
    Verdict.OVERLAPPING: (
        "overlapping",
        Severity.WARNING,
        "%(channel)s要 %(lasts)s 才发完，超过等待（%(wait)s）的三倍：没等发到，下一步就开始了。",
    ),
}
"""What is said of each kind of lateness."""


def _range(least: int, most: int) -> str:
    return str(most) if least == most else f"{least}–{most}"
