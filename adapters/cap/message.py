"""What one CAP message is worth to a source that receives it: its form, what it says, its envelope, its signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.cap import edxl, notation
from adapters.cap.grammar import SIGNATURE_NAMESPACE
from adapters.cap.read import examine
from adapters.cap.reason import Reason, Weight, error, told, warning
from adapters.cap.signature import fault_of
from adapters.cap.trust import Anchors
from broadcaster.alerts.alert import Alert, Reference, Status
from broadcaster.errors import InputError
from broadcaster.phrase import phrase
from broadcaster.sources import Judged, Signature, SignaturePolicy, Verdict
from broadcaster.xml import Node, parse


def weigh(reasons: Sequence[Reason]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict that follows from the reasons, and the reasons as sentences, errors first."""
    errors, warnings = told(reasons, Weight.ERROR), told(reasons, Weight.WARNING)
    verdict = Verdict.REFUSED if errors else Verdict.WITH_WARNINGS if warnings else Verdict.ACCEPTED
    return verdict, (*errors, *warnings)


def judge(document: bytes, policy: SignaturePolicy, anchors: Anchors, now: datetime) -> Judged:
    """Judge one message, in an envelope or not; never raises for what is in it."""
    try:
        message, reasons, status = _opened(document)
        root = parse(message)
    except InputError as fault:
        return Judged(Verdict.REFUSED, (fault.what,), None)
    examination = examine(root)
    reasons += (one for one in examination.reasons if one.topic != "signature")
    signature = _signature(message, root, policy, anchors, now, reasons)
    alert = examination.alert
    if alert is not None and status is not None:
        alert = _no_more_real(alert, status, reasons)
    verdict, sentences = weigh(reasons)
    if verdict is Verdict.REFUSED:
        return Judged(verdict, sentences, None, signature, _named(root))
    return Judged(verdict, sentences, alert, signature)


def _named(root: Node) -> Reference | None:
    """How a message that is refused calls itself, where that can be read."""
    try:
        sent = notation.read_time(root.value("sent"))
    except (ValueError, OverflowError):
        return None
    identifier, sender = root.value("identifier"), root.value("sender")
    return Reference(sender, identifier, sent) if root.name == "alert" and identifier and sender else None


def _opened(document: bytes) -> tuple[bytes, list[Reason], Status | None]:
    """The message out of its envelope, what is odd about the envelope, and its status; None without one."""
    root = parse(document)
    if not edxl.is_envelope(root):
        return document, [], None
    message = edxl.inner(document)
    if not message:
        raise InputError("envelope：信封里没有 CAP 消息。")
    return message, list(edxl.check(root)), edxl.status_of(root)


def _no_more_real(alert: Alert, status: Status, reasons: list[Reason]) -> Alert:
    """An Actual message in the envelope of a drill is a drill."""
    if alert.status is not Status.ACTUAL or status is Status.ACTUAL:
        return alert
    reasons.append(
        warning("envelope", 0, phrase("信封是 %(status)s，消息自称 Actual，按 %(status)s 对待", status=status.value))
    )
    return replace(alert, status=status)


def _signature(
    message: bytes, root: Node, policy: SignaturePolicy, anchors: Anchors, now: datetime, reasons: list[Reason]
) -> Signature:
    signed = any(child.namespace == SIGNATURE_NAMESPACE for child in root.children)
    if policy is SignaturePolicy.IGNORE:
        if signed:
            reasons.append(warning("signature", 0, "带有数字签名，未作验证"))
        return Signature.UNCHECKED if signed else Signature.NONE
    if not signed and policy is SignaturePolicy.PREFER:
        reasons.append(warning("signature", 0, "没有签名"))
        return Signature.NONE
    fault = fault_of(message, anchors, now)
    if fault:
        reasons.append(error("signature", 0, fault))
    return Signature.GOOD if not fault else Signature.BAD if signed else Signature.NONE
