"""The package in which an EBD travels: a flat tar (POSIX ustar) of the document, its signature and its files.

Read by the 512-octet blocks of the standard and nothing besides: regular files in no folder, each name once, few of
them. Links, devices, long names, sparse files and every other extension are refused, so there is nothing to follow or
to blow up; nothing is written to a disk. What is no XML is counted and hashed, not kept.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broadcaster.errors import InputError
from channels.loudspeaker.ebd.ebd import LARGEST as LARGEST_DOCUMENT

BLOCK = 512
LARGEST = 100 * 1024 * 1024
"""Octets of a package."""

LARGEST_SIGNATURE = 64 * 1024
MOST_FILES = 32

_DOCUMENT = re.compile(r"EBDB_([0-9]{30,48})\.xml")
_SIGNATURE = re.compile(r"EBDS_EBDB_([0-9]{30,48})\.xml")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_MAGIC = frozenset({b"ustar\x0000", b"ustar  \x00"})  # POSIX, and the same as GNU's programs write it


@dataclass(frozen=True, slots=True)
class File:
    """A file to go along."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Came:
    """A file that came along: octets and SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """`id` as the document's file name says it; `signature` None where there is none."""

    id: str
    document: bytes
    signature: bytes | None
    files: Sequence[Came] = ()


def pack(ebdid: str, document: bytes, signature: bytes | None = None, files: Sequence[File] = ()) -> bytes:
    """The package: the same octets for the same content."""
    members = [File(f"EBDB_{ebdid}.xml", document)]
    if signature is not None:
        members.append(File(f"EBDS_EBDB_{ebdid}.xml", signature))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for one in (*members, *files):
            head = tarfile.TarInfo(one.name)
            head.size, head.mode = len(one.content), 0o644
            tar.addfile(head, io.BytesIO(one.content))
    return buffer.getvalue()


def unpack(pieces: Iterable[bytes], largest: int = LARGEST) -> Package:
    """The package that `pieces` make up, read as they come; `InputError` for anything that is not one."""
    unpacking = Unpacking(largest)
    for piece in pieces:
        unpacking.feed(piece)
    return unpacking.end()


class Unpacking:
    """Reads a package piece by piece; holds no more than a block and the two documents."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._taken = 0
        self._block = bytearray()
        self._member: _Member | None = None
        self._names: set[str] = set()
        self._documents: dict[str, bytes] = {}
        self._files: list[Came] = []
        self._over = False

    def feed(self, piece: bytes) -> None:
        """Take the next octets in; `InputError` as soon as they are no package."""
        self._taken += len(piece)
        if self._taken > self._largest:
            raise InputError(f"数据包超过 {self._largest // 1024} KiB。")
        view, at = memoryview(piece), 0
        while at < len(view) and not self._over:
            member = self._member
            if member is not None and member.left:
                taken = member.take(view[at : at + member.left])
            elif member is not None and member.padding:
                taken = min(member.padding, len(view) - at)
                member.padding -= taken
            else:
                taken = self._head(view[at:])
            at += taken
            if self._member is not None and not (self._member.left or self._member.padding):
                self._finish(self._member)

    def end(self) -> Package:
        """The whole; `InputError` when something is missing."""
        if self._member is not None or (self._block and not self._over):
            raise InputError("数据包不完整。")
        found = [(name, _DOCUMENT.fullmatch(name)) for name in self._documents]
        documents = [(name, match[1]) for name, match in found if match]
        if len(documents) != 1:
            raise InputError(f"数据包里应有一个 EBDB_….xml，实有 {len(documents)} 个。")
        name, ebdid = documents[0]
        signature = self._documents.get(f"EBDS_{name}")
        if len(self._documents) != (1 if signature is None else 2):
            raise InputError("数据包里的签名文件不是这份 EBDB 的。")
        return Package(ebdid, self._documents[name], signature, tuple(self._files))

    def _head(self, view: memoryview) -> int:
        """Take what is lacking of a block, and begin the file that it announces."""
        taken = min(BLOCK - len(self._block), len(view))
        self._block += view[:taken]
        if len(self._block) == BLOCK:
            block = bytes(self._block)
            self._block.clear()
            if block.count(0) == BLOCK:
                self._over = True
            else:
                self._member = self._begun(block)
        return taken

    def _begun(self, block: bytes) -> _Member:
        name, size = header(block)
        if len(self._names) >= MOST_FILES:
            raise InputError(f"数据包里的文件超过 {MOST_FILES} 个。")
        if name.lower() in self._names:
            raise InputError("数据包里有同名的文件。")
        self._names.add(name.lower())
        if _DOCUMENT.fullmatch(name):
            return _Member(name, size, LARGEST_DOCUMENT)
        if _SIGNATURE.fullmatch(name):
            return _Member(name, size, LARGEST_SIGNATURE)
        return _Member(name, size, None)

    def _finish(self, member: _Member) -> None:
        self._member = None
        if member.content is not None:
            self._documents[member.name] = bytes(member.content)
        else:
            self._files.append(Came(member.name, member.size, member.hash.hexdigest()))


class _Member:
    """A file under way: kept if it is one of the documents, which have their limits."""

    def __init__(self, name: str, size: int, most: int | None) -> None:
        if most is not None and size > most:
            raise InputError(f"{name[:9]}….xml 超过 {most // 1024} KiB。")
        self.name = name
        self.size = self.left = size
        self.padding = -size % BLOCK
        self.content = bytearray() if most is not None else None
        self.hash = hashlib.sha256()

    def take(self, piece: memoryview) -> int:
        if self.content is not None:
            self.content += piece
        else:
            self.hash.update(piece)
        self.left -= len(piece)
        return len(piece)


def header(block: bytes) -> tuple[str, int]:
    """The name and octets of the file that a header block announces; `InputError` when it is none of a flat tar."""
    if block[257:265] not in _MAGIC:
        raise InputError("数据包不是 ustar 格式。")
    if _octal(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 0x20:
        raise InputError("数据包的文件头校验和不对。")
    if block[156:157] not in (b"0", b"\0"):
        raise InputError("数据包里有链接、目录或其他非普通文件。")
    prefix = block[345:500].rstrip(b"\0") if block[257:265] == b"ustar\x0000" else b""
    name = block[:100].partition(b"\0")[0].decode("latin-1")
    if prefix or not _FILE.fullmatch(name) or ".." in name:
        raise InputError("数据包里的文件名不合格：应为不含目录的字母、数字、下划线、点和连字符。")
    return name, _octal(block[124:136])


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,11}", text):
        raise InputError("数据包的文件头里应为八进制数。")
    return int(text, 8)
