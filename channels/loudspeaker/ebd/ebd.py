"""An EBD, the document that everything travels in: who says what to whom, when, in answer to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from broadcaster.errors import InputError
from broadcaster.xml import Node, parse
from channels.loudspeaker.ebd import shape
from channels.loudspeaker.ebd.documents import Body, RelatedEBD, Resource
from channels.loudspeaker.ebd.profile import Profile
from channels.loudspeaker.ebd.shape import MissingError, tagged

LARGEST = 4 * 1024 * 1024
"""Octets of a document: a report about ten thousand terminals has three million."""

BODIES: dict[str, type] = {one.__name__: one for one in get_args(Body)}
"""By EBDType."""


@dataclass(frozen=True, slots=True)
class EBD:
    """`time` is aware. `body` None: a type that we do not know."""

    id: str
    type: str
    source: Resource
    destination: Resource | None
    time: datetime
    related: str
    body: Body | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    version: str = tagged("EBDVersion", needed=True)
    id: str = tagged("EBDID", needed=True)
    type: str = tagged("EBDType", needed=True)
    source: Resource = tagged("SRC", needed=True)
    destination: Resource | None = tagged("DEST")
    time: datetime = tagged("EBDTime", needed=True)
    related: RelatedEBD | None = tagged("RelatedEBD")


def write(document: EBD, profile: Profile) -> bytes:
    """The document as UTF-8 without a mark at its beginning."""
    head = _Head(
        version=profile.version,
        id=document.id,
        type=document.type,
        source=document.source,
        destination=document.destination,
        time=document.time,
        related=RelatedEBD(ebdid=document.related) if document.related else None,
    )
    renamed = dict(profile.renamed)
    said = shape.write("EBD", head, renamed).removeprefix("<EBD>").removesuffix("</EBD>")
    body = shape.write(document.type, document.body, renamed) if document.body is not None else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<EBD xmlns:xs="{profile.namespace}">{said}{body}</EBD>\n'
    ).encode()


def read(data: bytes, profile: Profile) -> EBD:
    """The document that `data` says; `MissingError` where something is lacking, `InputError` for anything else."""
    root = parse(data, LARGEST)
    if root.name != "EBD":
        raise InputError(f"根元素应为 EBD，而不是 {root.name[:40]}。")
    renamed = dict(profile.renamed)
    head = shape.read(root, _Head, renamed)
    if not profile.is_package(head.id):
        raise InputError(
            f"EBDID 应为 {profile.package} 位数字，来的是 {len(head.id)} 位。", remedy="请核对网关的 profile。"
        )
    if not profile.is_resource(head.source.ebrid):
        raise InputError(f"SRC 的 EBRID 应为 {profile.resource} 位数字。", remedy="请核对网关的 profile。")
    related = head.related.ebdid if head.related is not None else ""
    return EBD(head.id, head.type, head.source, head.destination, head.time, related, _body(root, head.type, renamed))


def _body(root: Node, kind: str, renamed: dict[str, str]) -> Body | None:
    known = BODIES.get(kind)
    if known is None:
        return None
    node = root.first(kind)
    if node is None:
        if kind == "ConnectionCheck":  # some send an empty one
            return known()  # type: ignore[no-any-return]
        raise MissingError(f"EBD 缺少 {kind}。")
    body: Body = shape.read(node, known, renamed)
    return body
