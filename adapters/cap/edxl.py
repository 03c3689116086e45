"""EDXL-DE 1.0 and 2.0 (OASIS): envelopes that carry CAP messages, whole or as Base64.

An envelope says itself whether it is real. What it carries is never more real than that: a drill's envelope makes a
drill of what is in it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from copy import deepcopy

from lxml import etree

from adapters.cap.grammar import Version
from adapters.cap.reason import Reason, error, warning
from adapters.cap.tree import cut_out, grown
from broadcaster.alerts.alert import Status
from broadcaster.errors import InputError
from broadcaster.phrase import phrase
from broadcaster.xml import Node

V10 = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
V20 = "urn:oasis:names:tc:emergency:EDXL:DE:2.0"
ROOT = "EDXLDistribution"

MESSAGES_MAX = 100
"""Messages of one envelope: each is kept with the envelope around it."""

_CAP_TYPES = ("application/cap+xml", "application/xml", "text/xml")
_OTHER = frozenset({"nonXMLContent", "otherContent"})
_CONTENTS = frozenset({"contentObject", "content"})
_ALERTS = frozenset(f"{{{version}}}alert" for version in Version)
_REQUIRED = ("distributionID", "senderID", "dateTimeSent", "distributionStatus", "distributionType")
_STATUSES = {status.value: status for status in (Status.ACTUAL, Status.EXERCISE, Status.SYSTEM, Status.TEST)}


def is_envelope(root: Node) -> bool:
    """Whether the document is an EDXL-DE envelope."""
    return root.name == ROOT and root.namespace in (V10, V20)


def status_of(root: Node) -> Status | None:
    """What the envelope says of itself; None when it says nothing that the standard knows."""
    return _STATUSES.get(root.value("distributionStatus") or _deep_status(root))


def check(root: Node) -> Iterator[Reason]:
    """What an envelope lacks (EDXL-DE 1.0 clause 3.2). Only its status decides anything here, so the rest is told."""
    for name in _REQUIRED:
        if not (root.value(name) or (name == "distributionStatus" and _deep_status(root))):
            yield warning("envelope", root.line, phrase("<%(parent)s> 缺少 <%(name)s>", parent=ROOT, name=name))
    if status_of(root) is None:
        yield error("envelope", root.line, "<distributionStatus> 应为 Actual、Exercise、System 或 Test")


def messages(document: bytes) -> list[bytes]:
    """The CAP messages of an envelope, each in an envelope of its own, so that none loses what the envelope says;
    `InputError` for too many."""
    root = grown(document)
    carriers = list(_carriers(root))
    if len(carriers) > MESSAGES_MAX:
        raise InputError(
            "envelope：信封里有 %(count)s 条消息，最多 %(most)s 条。", count=len(carriers), most=MESSAGES_MAX
        )
    if len(carriers) <= 1:
        return [document] if carriers else []
    return [_alone(root, carrier) for carrier in carriers]


def inner(document: bytes) -> bytes:
    """The first CAP message of an envelope as a document of its own; b"" when there is none."""
    carrier = next(_carriers(grown(document)), None)
    if carrier is None:
        return b""
    return cut_out(carrier) if carrier.tag in _ALERTS else _decoded(carrier)


def _alone(root: etree._Element, carrier: etree._Element) -> bytes:
    """The envelope with this one of its messages."""
    space = str(root.tag).rpartition("}")[0] + "}"
    made = etree.Element(root.tag, nsmap=root.nsmap)  # type: ignore[arg-type]
    made.extend(deepcopy(child) for child in root if _local(child) not in _CONTENTS)
    content = etree.SubElement(made, f"{space}contentObject")
    parent = carrier.getparent()
    if carrier.tag not in _ALERTS and parent is not None:
        content.append(deepcopy(parent))
    else:
        embedded = etree.SubElement(etree.SubElement(content, f"{space}xmlContent"), f"{space}embeddedXMLContent")
        embedded.append(deepcopy(carrier))
    return cut_out(made)


def _carriers(root: etree._Element) -> Iterator[etree._Element]:
    """The elements that hold a message: <alert> wherever it stands, the first <contentData> of content whose first
    <mimeType> is CAP's or XML's. One pass, whatever the document is like."""
    for element in root.iter():
        if element.tag in _ALERTS:
            yield element
        elif _local(element) in _OTHER:
            media, data = element.find("{*}mimeType"), element.find("{*}contentData")
            if (
                media is not None
                and data is not None
                and _plain(media.text) in _CAP_TYPES
                and (data.text or "").strip()
            ):
                yield data


def _plain(media: str | None) -> str:
    return (media or "").partition(";")[0].strip().lower()


def _decoded(data: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join((data.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _deep_status(root: Node) -> str:
    """DE 2.0 writes the status as a value list's value: <distributionStatus><StatusKindDefault>Actual</…>."""
    node = root.first("distributionStatus")
    return next((child.text for child in node.children if child.text in _STATUSES), "") if node else ""
