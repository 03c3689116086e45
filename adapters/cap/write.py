"""From an `Alert` to CAP 1.2 XML, element by element in the standard's order (OASIS CAP-v1.2 clause 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from lxml import etree

from adapters.cap import house, notation
from adapters.cap.grammar import Version
from broadcaster.alerts.alert import Alert, Area, Info, NamedValue, Resource

_NAMESPACE = Version.V12.value
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:([\w/?&=+$,;:@!~*'().-]|%[0-9A-Fa-f]{2})+(#([\w/?.-])*)?", re.ASCII)
_URI_SAFE = "/?&=+$,;@!~*'()"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(alert: Alert) -> bytes:
    """A CAP 1.2 document in UTF-8, times in Beijing time. Characters that XML cannot hold become U+FFFD."""
    root = etree.Element(f"{{{_NAMESPACE}}}alert", nsmap={None: _NAMESPACE})  # type: ignore[dict-item]
    _required(root, "identifier", alert.identifier)
    _required(root, "sender", alert.sender)
    _required(root, "sent", notation.write_time(alert.sent))
    _required(root, "status", alert.status)
    _required(root, "msgType", alert.msg_type)
    _optional(root, "source", alert.source)
    _required(root, "scope", alert.scope)
    _optional(root, "restriction", alert.restriction)
    _optional(root, "addresses", notation.write_list(alert.addresses))
    _each(root, "code", (*alert.codes, *house.codes(alert)))
    _optional(root, "note", alert.note)
    _optional(root, "references", notation.write_references(alert.references))
    _optional(root, "incidents", notation.write_list(alert.incidents))
    for info in alert.infos:
        _info(root, info)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _info(root: etree._Element, info: Info) -> None:
    node = _child(root, "info")
    _required(node, "language", info.language)
    _each(node, "category", info.categories)
    _required(node, "event", info.event)
    _each(node, "responseType", info.response_types)
    _required(node, "urgency", info.urgency)
    _required(node, "severity", info.severity)
    _required(node, "certainty", info.certainty)
    _optional(node, "audience", info.audience)
    _pairs(node, "eventCode", info.event_codes)
    _optional(node, "effective", _time(info.effective))
    _optional(node, "onset", _time(info.onset))
    _optional(node, "expires", _time(info.expires))
    _optional(node, "senderName", info.sender_name)
    _optional(node, "headline", info.headline)
    _optional(node, "description", info.description)
    _optional(node, "instruction", info.instruction)
    _optional(node, "web", _uri(info.web))
    _optional(node, "contact", info.contact)
    _pairs(node, "parameter", info.parameters)
    for resource in info.resources:
        _resource(node, resource)
    for area in info.areas:
        _area(node, area)


def _resource(info: etree._Element, resource: Resource) -> None:
    node = _child(info, "resource")
    _required(node, "resourceDesc", resource.description)
    _required(node, "mimeType", resource.media_type)
    _optional(node, "size", "" if resource.size is None else str(resource.size))
    _optional(node, "uri", _uri(resource.uri))
    _optional(node, "derefUri", resource.data)
    _optional(node, "digest", resource.digest)


def _area(info: etree._Element, area: Area) -> None:
    node = _child(info, "area")
    _required(node, "areaDesc", area.description)
    _each(node, "polygon", map(notation.write_ring, area.polygons))
    _each(node, "circle", map(notation.write_circle, area.circles))
    _pairs(node, "geocode", area.geocodes)
    for name, feet in (("altitude", area.altitude), ("ceiling", area.ceiling)):
        _optional(node, name, "" if feet is None else notation.write_number(feet))


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")


def _required(parent: etree._Element, name: str, text: str) -> None:
    _child(parent, name).text = _NOT_XML.sub("\ufffd", text)


def _optional(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _required(parent, name, text)


def _each(parent: etree._Element, name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _required(parent, name, text)


def _pairs(parent: etree._Element, name: str, pairs: Iterable[NamedValue]) -> None:
    for pair in pairs:
        node = _child(parent, name)
        _required(node, "valueName", pair.name)
        _required(node, "value", pair.value)


def _uri(text: str) -> str:
    """A URI as it is; anything else with what a URI may not hold escaped (the schema asks for xs:anyURI)."""
    if _ESCAPED.fullmatch(text):
        return text
    address, mark, fragment = text.partition("#")
    colon = ":" if _SCHEME.match(text) else ""
    return quote(address, safe=_URI_SAFE + colon) + mark + quote(fragment, safe=_URI_SAFE + ":")


def _time(time: datetime | None) -> str:
    return notation.write_time(time) if time else ""
