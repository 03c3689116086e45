"""A package holds a document, its signature and files, in a flat tar; anything else is no package."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from hashlib import sha256

import pytest

from broadcaster.errors import InputError
from channels.loudspeaker.ebd.package import BLOCK, MOST_FILES, File, Unpacking, pack, unpack

ID = "1" * 41
NAME = f"EBDB_{ID}.xml"


def tar(build: Callable[[tarfile.TarFile], None], form: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as opened:
        build(opened)
    return buffer.getvalue()


def member(name: str, content: bytes = b"x", **fields: object) -> Callable[[tarfile.TarFile], None]:
    def add(opened: tarfile.TarFile) -> None:
        document = tarfile.TarInfo(NAME)
        document.size = 3
        opened.addfile(document, io.BytesIO(b"<a>"))
        one = tarfile.TarInfo(name)
        one.size = len(content)
        for key, value in fields.items():
            setattr(one, key, value)
        opened.addfile(one, io.BytesIO(content))

    return add


def test_a_package_comes_out_as_it_went_in_whatever_the_pieces() -> None:
    sound = b"\xff\xfb" * 700
    packed = pack(ID, "<EBD>到户</EBD>".encode(), b"<Signature/>", [File("EBDR_1.mp3", sound)])
    whole = unpack([packed])
    assert (whole.id, whole.document.decode(), whole.signature) == (ID, "<EBD>到户</EBD>", b"<Signature/>")
    (came,) = whole.files
    assert (came.name, came.size, came.sha256) == ("EBDR_1.mp3", len(sound), sha256(sound).hexdigest())
    for size in (1, 7, 511, 512, 513, 4096):
        assert unpack(packed[at : at + size] for at in range(0, len(packed), size)) == whole


def test_a_package_is_the_same_octets_for_the_same_content() -> None:
    assert pack(ID, b"<EBD/>", b"<S/>") == pack(ID, b"<EBD/>", b"<S/>")


def test_other_programs_read_ours_and_theirs_are_read() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(ID, b"<EBD/>", b"<S/>"))) as opened:
        assert opened.getnames() == [NAME, f"EBDS_{NAME}"]
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT):
        theirs = unpack([tar(member("EBDR_1.mp3", b"abc"), form)])
        assert (theirs.document, theirs.signature, theirs.files[0].size) == (b"<a>", None, 3)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (member("../../etc/passwd"), "文件名"),
        (member("/etc/passwd"), "文件名"),
        (member("folder/EBDR_1.mp3"), "文件名"),
        (member("..mp3"), "文件名"),
        (member("EBDR\n.mp3"), "文件名"),
        (member("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "非普通"),
        (member("link", b"", type=tarfile.LNKTYPE, linkname=NAME), "非普通"),
        (member("device", b"", type=tarfile.CHRTYPE), "非普通"),
        (member("fifo", b"", type=tarfile.FIFOTYPE), "非普通"),
        (member("folder", b"", type=tarfile.DIRTYPE), "非普通"),
        (member("sparse", b"", type=tarfile.GNUTYPE_SPARSE), "非普通"),
        (member(NAME), "同名"),
        (member(NAME.lower()), "同名"),
        (member(f"EBDB_{'2' * 41}.xml"), "应有一个"),
        (member(f"EBDS_EBDB_{'2' * 41}.xml"), "签名文件"),
    ],
)
def test_what_a_flat_package_does_not_have_is_refused(build: Callable[[tarfile.TarFile], None], word: str) -> None:
    with pytest.raises(InputError, match=word):
        unpack([tar(build)])


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_refused(form: int) -> None:
    def build(opened: tarfile.TarFile) -> None:
        member("号" * 40 if form == tarfile.PAX_FORMAT else "x" * 200)(opened)

    with pytest.raises(InputError, match=r"非普通|文件名"):
        unpack([tar(build, form)])


def test_too_many_files_are_refused() -> None:
    files = [File(f"EBDR_{number}.mp3", b"") for number in range(MOST_FILES)]
    with pytest.raises(InputError, match="超过"):
        unpack([pack(ID, b"<EBD/>", None, files)])


def test_a_bomb_is_refused_when_its_limit_is_reached_not_when_it_ends() -> None:
    taken = 0

    def pieces() -> object:
        nonlocal taken
        yield pack(ID, b"<EBD/>")[:1024]
        head = bytearray(tar(member("EBDR_1.mp3", b"")))[1024:1536]
        head[124:136] = b"77777777777\0"
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        yield bytes(head)
        while True:
            taken += 65536
            yield bytes(65536)

    with pytest.raises(InputError, match="超过"):
        unpack(pieces(), largest=1024 * 1024)  # type: ignore[arg-type]
    assert taken <= 1024 * 1024 + 65536


def test_a_document_that_says_it_is_huge_is_refused_at_its_head() -> None:
    unpacking = Unpacking()
    with pytest.raises(InputError, match="超过"):
        unpacking.feed(pack(ID, bytes(5 * 1024 * 1024))[:BLOCK])


@pytest.mark.parametrize("kept", [0, 100, BLOCK, BLOCK + 3, 2 * BLOCK - 1])
def test_half_a_package_is_none(kept: int) -> None:
    with pytest.raises(InputError, match=r"不完整|应有一个"):
        unpack([pack(ID, b"<EBD/>" * 20)[:kept]])


def test_what_is_no_tar_is_refused() -> None:
    for nonsense in (b"PK\x03\x04" * 200, b"<html>" * 200, bytes(range(256)) * 4):
        with pytest.raises(InputError, match="ustar"):
            unpack([nonsense])
    broken = bytearray(pack(ID, b"<EBD/>"))
    broken[0] ^= 1
    with pytest.raises(InputError, match="校验和"):
        unpack([bytes(broken)])
