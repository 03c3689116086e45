"""Whatever a source offers, hands in or pushes: it is understood or refused, at little cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from lxml import etree

from adapters.caiyun.source import CaiyunOptions, CaiyunSource
from adapters.cap.message import judge
from adapters.cap.signature import fault_of
from adapters.cap.trust import Anchors
from adapters.fetching.body import declared
from broadcaster import adapters
from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.intake.likeness import said
from broadcaster.sources import Judged, SignaturePolicy, Source, SourceSettings
from broadcaster.xml import parse
from tests.contract.test_source_kinds import NATIONAL, OPTIONS, ROWS, push
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SELDOM, SHORT, Bound, Decoder
from tests.harness import bulletins
from tests.harness.alerts import NOW
from tests.harness.warnings import ATOM, entry, foreign, xml
from tests.unit.cap.test_edxl import embedded, encoded, envelope

XML_TOKENS = [
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&a;",
    b"&#0;",
    b"<alert>",
    b"</alert>",
    b"<info>",
]
XML_TOKENS += [
    b'encoding="utf-16"',
    b'encoding="gbk"',
    b'xmlns=""',
    b"<polygon>1,1 2,2 1,2 1,1</polygon>",
    b"1e999",
    b"+08:00",
]
JSON_TOKENS = [b"null", b"[" * 50, b"1e999", b"-1", b'"alerts":', b'"data":', b'"title":', b"{}", b"\\ud800", b"true"]
ROOMY = Bound(40_000, 60)
"""Lines of Python: each character of XML passes some; a polygon is compared edge by edge."""

MEMORY = Bound(512 * 1024, 100)
XML_LONGEST = 6_000
KEPT = 512 * 1024
"""Octets: refusals with their causes, until the garbage is collected; a block leaves 150 KB of them."""


def used(judged: Judged) -> Judged:
    """A message that was understood is used: what it says is written down."""
    if judged.alert is not None:
        said(judged.alert)
    elif not judged.reasons:
        raise AssertionError("refused without a reason")
    return judged


def refused(judged: Judged) -> Judged:
    """As a decoder says it: a refusal is an exception."""
    if used(judged).alert is None:
        raise InputError(judged.reasons[0])
    return judged


def well_formed(frame: bytes) -> bytes:
    """What is left of a document as XML again, so that the damage gets behind the parser."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(frame, parser)
    except (etree.XMLSyntaxError, ValueError):
        return frame
    return frame if root is None else bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def messages() -> Decoder:
    """One CAP message of any version, and of the national platform's."""
    source = _source("cap")
    examples = [xml(foreign()), envelope(embedded(xml(foreign()))), envelope(encoded(xml(foreign())))]
    return _xml("CAP message", lambda frame: refused(source.judge(frame, NOW)), examples)


def national() -> Decoder:
    source = _source("cn12379")
    return _xml("12379 message", lambda frame: refused(source.judge(frame, NOW)), [NATIONAL.encode()])


def indexes() -> Decoder:
    """Atom and RSS, with messages in them and without."""
    source = _source("cap")
    carried = xml(foreign()).decode().partition("?>")[2]
    atom = ATOM.format(
        entry("http://x/1.cap") + f'<entry><id>2</id><content type="text/xml">{carried}</content></entry>'
    )
    rss = '<rss version="2.0"><channel><title>t</title><item><title>e</title><link>http://x/2</link></item></channel></rss>'

    def decode(frame: bytes) -> object:
        return source._dialect.unpack(frame)  # type: ignore[attr-defined]

    return _xml("index", decode, [atom.encode(), rss.encode()])


def envelopes() -> Decoder:
    """EDXL-DE with several messages: each is cut out and judged."""
    source = _source("cap")
    examples = [envelope(embedded(xml(foreign()), xml(foreign("QX_2")))), envelope(encoded(xml(foreign())), "Test")]

    def decode(frame: bytes) -> object:
        return [used(source.judge(one, NOW)) for one in source.messages(frame)]

    return _xml("EDXL envelope", decode, examples)


def signatures() -> Decoder:
    """A signed message whose signature is never good: nobody is trusted."""
    signature = (
        '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm='
        '"http://www.w3.org/2001/10/xml-exc-c14n#"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#'
        'rsa-sha256"/><Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-'
        'signature"/></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>AAAA'
        "</DigestValue></Reference></SignedInfo><SignatureValue>AAAA</SignatureValue><KeyInfo><X509Data><X509Certificate>"
        "AAAA</X509Certificate></X509Data></KeyInfo></Signature>"
    )
    example = xml(foreign()).replace(b"</alert>", signature.encode() + b"</alert>")

    def decode(frame: bytes) -> object:
        parse(frame)
        assert fault_of(frame, Anchors(), NOW)
        return judge(frame, SignaturePolicy.REQUIRE, Anchors(), NOW)

    return _xml("signature", decode, [example])


def encodings() -> Decoder:
    """Who is right about the encoding, told by the first line of the frame as a header."""

    def decode(frame: bytes) -> object:
        head, _, body = frame.partition(b"\n")
        return declared(body, head.decode("latin-1"))

    examples = [
        b"text/xml; charset=gbk\n<a/>",
        b'x\n<?xml version="1.0" encoding="utf-8"?><a/>',
        b"text/xml; charset=utf-7\n<a>",
    ]
    tokens = [b"charset=", b"utf-16", b"idna", b"punycode", b"zlib", b"gb18030"]
    # a codec that is used for the first time is imported: some thousand lines, once
    return Decoder("encoding", decode, examples, (), None, tokens, steps=Bound(10_000, 20))


def answers(place: int) -> Callable[[], Decoder]:
    """What a service answers, taken apart, and each entry judged."""
    row = ROWS[place]

    def make() -> Decoder:
        source = _source(row.kind)

        def decode(frame: bytes) -> object:
            return [used(source.judge(one, NOW)) for one in source.messages(frame)]

        examples = list(row.pages("").values())
        return Decoder(str(row), decode, examples, (InputError,), None, JSON_TOKENS, steps=ROOMY, memory=MEMORY)

    make.__name__ = str(row)
    return make


def entries() -> Decoder:
    """One entry of each service, as it is kept."""
    sources = [_source(kind) for kind in ("qweather", "caiyun", "nmc")]
    made = (bulletins.qweather(), bulletins.caiyun_old(), bulletins.caiyun_new(), bulletins.nmc())
    examples = [json.dumps(one).encode() for one in made]

    def decode(frame: bytes) -> object:
        found = [used(source.judge(frame, NOW)) for source in sources]
        if all(one.alert is None for one in found):
            raise InputError(found[0].reasons[0])
        return found

    return Decoder("entry", decode, examples, (InputError,), None, JSON_TOKENS, steps=ROOMY, memory=MEMORY)


def pushes() -> Decoder:
    """What is pushed in Caiyun's way; signed rightly or not."""
    settings = SourceSettings(name="s", kind="caiyun", options={"push_token": "a token of ours"})

    def now() -> datetime:
        return NOW

    source = CaiyunSource(settings, CaiyunOptions.read(settings), now=now)
    refusals = (InputError, UnauthenticatedError)
    return Decoder(
        "push",
        lambda frame: source.receive({}, {}, frame),
        [push()],
        refusals,
        None,
        JSON_TOKENS,
        steps=ROOMY,
        memory=MEMORY,
    )


def _source(kind: str) -> Source:
    options = OPTIONS if kind == "qweather" else {}
    return adapters.sources([SourceSettings(name="s", kind=kind, options=options)])["s"]


def _xml(name: str, decode: Callable[[bytes], object], examples: list[bytes]) -> Decoder:
    return Decoder(
        name,
        decode,
        examples,
        (InputError,),
        well_formed,
        XML_TOKENS,
        longest=XML_LONGEST,
        steps=ROOMY,
        memory=MEMORY,
        kept=KEPT,
    )


DECODERS = (
    messages,
    national,
    indexes,
    envelopes,
    signatures,
    encodings,
    entries,
    pushes,
    *(answers(place) for place in (2, 3, 4, 5)),
)
QUICK = SHORT // 4
"""A message of XML costs a millisecond or two, not a few microseconds as a frame does."""


@pytest.mark.parametrize("make", DECODERS)
def test_it_is_understood_or_refused(make: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(make(), QUICK, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("make", DECODERS)
def test_so_it_is_a_million_times(make: Callable[[], Decoder], fuzz: Fuzz) -> None:
    fuzz(make(), LONG, SELDOM)
