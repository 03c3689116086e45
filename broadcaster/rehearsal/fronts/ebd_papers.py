"""What the lower platform of the rehearsal reads and writes: tar packages, and documents in the standards' order."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException, ElementTree

from broadcaster.clock import BEIJING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HEAD = ("EBDVersion", "EBDID", "EBDType", "SRC", "DEST?", "EBDTime", "RelatedEBD?", "*")
ORDERS: Mapping[str, Sequence[str]] = {
    "EBM": ("EBMVersion", "EBMID", "RelatedInfo?", "MsgBasicInfo", "MsgContent?", "Dispatch+"),
    "MsgBasicInfo": (
        "MsgType", "SenderName", "SenderCode", "SendTime", "EventType", "Severity", "StartTime", "EndTime",
    ),
    "MsgContent": (
        "LanguageCode", "MsgTitle", "MsgDesc", "AreaCode", "Auxiliary+", "ProgramNum?",
    ),
    "Auxiliary": ("AuxiliaryType", "AuxiliaryDesc", "Size", "Digest?"),
    "Dispatch": ("LanguageCode", "EBRPS?", "EBRAS?", "EBRBS?"),
}  # fmt: skip
"""Children in their order; ?: may be missing, +: any number, *: whatever is named as the type."""

FORM = re.compile(rb'filename="EBDT_(\d+)\.tar"')
TIME = "%Y-%m-%d %H:%M:%S"
LARGEST = 32 * 1024 * 1024


class PaperError(ValueError):
    """Why an EBD is not taken: the ResultCode and its words; `ebdid` as far as it is known."""

    def __init__(self, code: int, why: str, ebdid: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.ebdid = ebdid


@dataclass(frozen=True, slots=True)
class Parcel:
    """One package: the document, its signature, the files."""

    ebdid: str
    document: bytes
    seal: bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paper:
    """One document: its head, and its body as elements."""

    ebdid: str
    kind: str
    source: str
    related: str
    body: Element


def opened(content_type: str, body: bytes) -> Parcel:
    """The package that was posted in a form; PaperError for anything else."""
    boundary = re.search(r"boundary=(\S+)", content_type)
    if boundary is None:
        raise PaperError(2, "不是表单")
    parts = body.split(b"--" + boundary[1].strip('"').encode())
    for part in parts:
        head, found, content = part.partition(b"\r\n\r\n")
        if found and b'name="file"' in head:
            named = FORM.search(head)
            if named is None:
                raise PaperError(2, "文件名不是 EBDT_….tar")
            return unpacked(content.removesuffix(b"\r\n"), named[1].decode())
    raise PaperError(2, "表单里没有 file")


def unpacked(content: bytes, ebdid: str = "") -> Parcel:
    """The package that a tar is; `ebdid` as its own name says, "" where it has none."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for one in tar:
                taken = tar.extractfile(one) if one.isreg() and "/" not in one.name else None
                if taken is None or one.size > LARGEST or one.name in files:
                    raise PaperError(2, "数据包里有不该有的东西", ebdid)
                files[one.name] = taken.read()
    except (tarfile.TarError, EOFError) as problem:
        raise PaperError(2, "不是 tar", ebdid) from problem
    documents = [name for name in files if re.fullmatch(r"EBDB_\d+\.xml", name)]
    if len(documents) != 1 or (ebdid and documents[0] != f"EBDB_{ebdid}.xml"):
        raise PaperError(3, "没有 EBDB", ebdid)
    (name,) = documents
    document, seal = files.pop(name), files.pop(f"EBDS_{name}", None)
    return Parcel(name[5:-4], document, seal, files)


def packed(parcel: Parcel) -> bytes:
    """The tar of a package."""
    buffer = io.BytesIO()
    members = {f"EBDB_{parcel.ebdid}.xml": parcel.document}
    if parcel.seal is not None:
        members[f"EBDS_EBDB_{parcel.ebdid}.xml"] = parcel.seal
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (*members.items(), *parcel.files.items()):
            head = tarfile.TarInfo(name)
            head.size = len(content)
            tar.addfile(head, io.BytesIO(content))
    return buffer.getvalue()


def read(parcel: Parcel, older: bool) -> Paper:
    """The document of a package; PaperError when it is none, lacks something, or has it in another order."""
    ebdid = parcel.ebdid
    if parcel.document.startswith(b"\xef\xbb\xbf"):
        raise PaperError(2, "有 BOM", ebdid)
    try:
        root = ElementTree.fromstring(parcel.document)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as problem:
        raise PaperError(2, "不是 XML", ebdid) from problem
    kind = root.findtext("EBDType") or ""
    ordered(root, [kind if name == "*" else name for name in HEAD], ebdid)
    if root.findtext("EBDID") != ebdid or len(ebdid) != (36 if older else 41):
        raise PaperError(3, "EBDID 不对", ebdid)
    when(root.findtext("EBDTime"), ebdid)
    body = root.find(kind)
    if body is None:
        raise PaperError(3, f"没有 {kind}", ebdid)
    for element in body.iter():
        order = ORDERS.get(element.tag) if kind == "EBM" else None
        if order is not None:
            wanted = ["SentTime" if older and name == "SendTime" else name for name in order]
            ordered(element, wanted, ebdid)
    return Paper(ebdid, kind, root.findtext("SRC/EBRID") or "", root.findtext("RelatedEBD/EBDID") or "", body)


def ordered(element: Element, order: Sequence[str], ebdid: str) -> None:
    """PaperError unless the children of `element` are those of `order`, in that order."""
    names = [child.tag for child in element]
    for one in order:
        name, many, optional = one.rstrip("?+"), one.endswith("+"), one.endswith(("?", "+"))
        if not names or names[0] != name:
            if optional:
                continue
            raise PaperError(3, f"{element.tag} 缺少 {name}，或顺序不对", ebdid)
        if (
            not many
            and not optional
            and not len(element[-len(names)])
            and not (element[-len(names)].text or "").strip()
        ):
            raise PaperError(3, f"{name} 是空的", ebdid)
        names.pop(0)
        while many and names and names[0] == name:
            names.pop(0)
    if names:
        raise PaperError(3, f"{element.tag} 里不该有 {names[0][:40]}，或顺序不对", ebdid)


def when(text: str | None, ebdid: str) -> float:
    """Beijing's time as Unix seconds."""
    try:
        return datetime.strptime(text or "", TIME).replace(tzinfo=BEIJING).timestamp()
    except ValueError as problem:
        raise PaperError(3, "时间格式不对", ebdid) from problem


def written(at: float) -> str:
    """Unix seconds as Beijing's time."""
    return datetime.fromtimestamp(at, BEIJING).strftime(TIME)


def text(name: str, said: str) -> str:
    """An element of text."""
    return f"<{name}>{escape(said)}</{name}>"
