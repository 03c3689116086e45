"""Whatever comes as an emergency broadcast package (tar, document, signature, form): understood or refused, cheaply."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest

from broadcaster.errors import InputError, UnauthenticatedError
from channels.loudspeaker.ebd import ebd, package, signature
from channels.loudspeaker.ebd.documents import EBM, EBDResponse, EBMStateResponse, MsgBasicInfo, MsgContent
from channels.loudspeaker.ebd.door import uploaded
from channels.loudspeaker.ebd.evidence import of_the_whole
from channels.loudspeaker.ebd.package import BLOCK, File
from channels.loudspeaker.ebd.profile import PROFILES
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.seal import Seal
from channels.loudspeaker.signing.sm2 import PublicKey
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SHORT, Bound, Decoder
from tests.harness.ebd_keys import THEIRS_SERIAL
from tests.harness.ebd_platform import EBMID, FORM, NOW, PROFILE, TERMINALS, posted, report, said

WEIGHED = 100
"""Of how many in the long run one is weighed: a document takes thousands of lines."""

REFUSALS = (InputError, UnauthenticatedError)
ID = "1" * 41
BASIC = MsgBasicInfo(
    msg_type="1", sender_name="市", send_time=NOW, event_type="11B03", severity="1", start_time=NOW, end_time=NOW
)
CONTENT = MsgContent(language_code="zho", msg_title="暴雨", msg_desc="转移", area_code="330212000000")
BODIES = (
    report(dict.fromkeys(TERMINALS[:3], "3"), rate="1.0"),
    EBM(version="1", ebmid=EBMID, basic=BASIC, content=CONTENT),
    EBDResponse(result_code="1", result_desc="好"),
)
TOKENS = [b"<!DOCTYPE EBD [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"</EBD>", b"<EBD>", b"<EBRBS>", b"</EBRBS>"]
TOKENS += [b"<?xml version='1.0' encoding='utf-16'?>", b"<BrdSysInfo>", b"2026-11-23 08:00:01", b"<![CDATA[", b"]]>"]
HEADS = [b"ustar\x0000", b"ustar  \x00", b"77777777777\0", b"../../etc/passwd", b"\0" * 100, b"EBDB_", b"\x80\xff\xff"]


def packages() -> Decoder:
    """The tar, in pieces; checksums of its headers are mended."""

    def decode(frame: bytes) -> object:
        half = len(frame) // 3
        return package.unpack([frame[:half], frame[half:]], largest=1024 * 1024)

    document = b"<EBD>" + b"x" * 700 + b"</EBD>"
    examples = [
        package.pack(ID, document, b"<Signature/>", [File("EBDR_1.mp3", b"\xff\xfb" * 300)])[: 8 * BLOCK],
        package.pack(ID, document)[: 5 * BLOCK],
        package.pack(ID, b"<EBD/>", None, [File("EBDR_1.mp3", b""), File("EBDR_2.mp3", b"x")])[: 6 * BLOCK],
    ]
    return Decoder("ebd package", decode, examples, REFUSALS, checksummed, HEADS, memory=Bound(256 * 1024, 64))


def checksummed(frame: bytes) -> bytes:
    """Every block that looks like a header gets its checksum and its magic, so that the damage behind is reached."""
    blocks = bytearray(frame)
    for at in range(0, len(blocks) - BLOCK + 1, BLOCK):
        if blocks[at : at + 3] == b"EBD":
            blocks[at + 257 : at + 265] = b"ustar\x0000"
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + BLOCK])
    return bytes(blocks)


def documents() -> Decoder:
    """The document and what it proves; every second frame is well formed with damaged texts."""

    def decode(frame: bytes) -> object:
        found = ebd.read(frame, PROFILE)
        if isinstance(found.body, EBMStateResponse):
            return of_the_whole(found.body, TERMINALS, PROFILE, datetime.now(UTC))
        return ebd.write(found, PROFILE)

    examples = [package.unpack([said(body)]).document for body in BODIES]
    steps, memory = Bound(6_000, 60), Bound(256 * 1024, 128)
    return Decoder("ebd document", decode, examples, REFUSALS, texts_of(examples), TOKENS, steps=steps, memory=memory)


def signatures() -> Decoder:
    """The signature file, as far as the curve: no key is known, so none is asked."""
    trust = Trust({}, PROFILE)

    def decode(frame: bytes) -> object:
        signature.read(frame)
        trust.check(package.Package(ID, b"<EBD/>", frame), Policy.PREFER)
        return None

    seal = Seal(NOW, THEIRS_SERIAL, bytes(range(64)))
    examples = [signature.write(ID, seal, profile, "1") for profile in PROFILES.values()]
    return Decoder("ebds", decode, examples, REFUSALS, texts_of(examples), TOKENS, steps=Bound(3_000, 40))


def forms() -> Decoder:
    """The form around a package."""

    def decode(frame: bytes) -> object:
        return uploaded(FORM, frame)

    before = b'--frontier\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n'
    examples = [posted(b"x" * 300), before + posted(b"\r\n--frontie" * 5)]
    tokens = [b"--frontier", b"\r\n--frontier--\r\n", b"filename=", b"\r\n\r\n", b"\r\n--frontier\r\n"]
    return Decoder("ebd form", decode, examples, REFUSALS, None, tokens)


def texts_of(examples: list[bytes]) -> Callable[[bytes], bytes]:
    """Makes of a damaged document a well-formed one: an example that has some of the damaged texts in its elements."""

    def mend(frame: bytes) -> bytes:
        texts = re.findall(rb">([^<>]{1,400})<", frame)
        example = examples[len(frame) % len(examples)]
        places = count()

        def text(found: re.Match[bytes]) -> bytes:
            place = next(places)
            damaged = place < len(texts) and (place + len(frame)) % 9 == 0
            return b">" + (clean(texts[place]) if damaged else found[1]) + b"<"

        return re.sub(rb">([^<>]+)<", text, example)

    return mend


def clean(text: bytes) -> bytes:
    kept = text.decode("utf-8", "ignore").translate(_CONTROLS)
    return kept.replace("&", "&amp;").encode()


_CONTROLS = dict.fromkeys(range(32)) | dict.fromkeys((0xFFFE, 0xFFFF))
DECODERS = (packages, documents, signatures, forms)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.__name__)
def test_whatever_comes_is_understood_or_refused(decoder: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(decoder(), SHORT, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.__name__)
def test_whatever_comes_a_million_times(decoder: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(decoder(), LONG, WEIGHED)


def test_a_signature_of_any_numbers_is_refused_in_bounded_time() -> None:
    key = PublicKey.read("048b8425fc1903a1ed76c726c6982aa3ac040b645445a908c508b2dff2667475c4"
                         "e2130934833908593c58f8c245a7ee3347b9762abe8529deea2589b1044cdc48")  # fmt: skip
    for value in (b"\0" * 64, b"\xff" * 64, b"\0" * 31 + b"\1" + b"\0" * 32, b"", bytes(63), bytes(65)):
        assert not key.verify(b"x", value)
