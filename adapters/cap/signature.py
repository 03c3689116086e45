"""XML signatures of CAP messages (CAP-v1.2 clause 3.3.2.1; XML Signature 1.1): whose they are, and whether they hold.

The signature itself is checked by signxml. Before that the form is narrowed down to the one that CAP has: a single
enveloped signature over the whole message. So what is read is what was signed, and nothing else that XML signatures can
do (parts, external references, stylesheets, shared secrets, keys out of the message itself) is ever done.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from adapters.cap.grammar import SIGNATURE_NAMESPACE
from adapters.cap.tree import grown
from adapters.cap.trust import Anchors
from broadcaster.errors import InputError
from broadcaster.phrase import ours, phrase

METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_ENVELOPED = f"{SIGNATURE_NAMESPACE}enveloped-signature"
_CANONICAL = frozenset(
    {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    }
)
_TRANSFORMS = frozenset({_ENVELOPED, *_CANONICAL})
_CHILDREN = frozenset({"SignedInfo", "SignatureValue", "KeyInfo"})
_IDS = ("id", "Id", "ID")
_CERTIFICATES_MAX = 10
_FAULTS = (
    SignXMLException,
    InvalidSignature,
    InputError,
    etree.LxmlError,
    ValueError,
    TypeError,
    KeyError,
    LookupError,
)


class _Verifier(XMLVerifier):
    """signxml, but each element is canonicalized as the root of a document of its own.

    lxml canonicalizes an element within its document wrongly (inclusively, below a default namespace of its own: it
    undeclares that namespace on every child). Cut out, with all that is declared around it, it comes out right.
    """

    def _c14n(
        self, nodes: Any, algorithm: CanonicalizationMethod, inclusive_ns_prefixes: list[str] | None = None
    ) -> bytes:
        cut = etree.fromstring(etree.tostring(nodes, with_tail=False)) if isinstance(nodes, etree._Element) else nodes
        return bytes(super()._c14n(cut, algorithm=algorithm, inclusive_ns_prefixes=inclusive_ns_prefixes))


def fault_of(message: bytes, anchors: Anchors, at: datetime) -> str:
    """Why the signature of `message`, a document whose root is signed, is not good; "" when it is.

    `at`: the moment for which certificates have to be valid.
    """
    root = grown(message)
    found = list(root.iter(_ds("Signature")))
    if len(found) != 1:
        return "没有签名" if not found else "签名不止一个"
    if found[0].getparent() is not root:
        return "签名不是消息的直接子元素"
    if fault := _misshapen(root, found[0]):
        return fault
    signer = anchors.signer(list(_shown(found[0])), at)
    return signer if isinstance(signer, str) else _verified(root, signer, at)


def _verified(root: etree._Element, signer: x509.Certificate, at: datetime) -> str:
    config = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        ignore_ambiguous_key_info=True,  # the key is the configured certificate's, whatever else stands there
        verification_time=at,
    )
    try:
        result = _Verifier().verify(root, x509_cert=signer, expect_config=config)
    except _FAULTS:
        return "签名与内容或证书不符"
    signed = result.signed_xml if not isinstance(result, list) else None
    if signed is None or signed.tag != root.tag:
        return "签名没有覆盖整条消息"
    return ""


def _misshapen(root: etree._Element, signature: etree._Element) -> str:
    """In what the signature differs from the only form that is accepted; "" when in nothing."""
    if any(_local(child) not in _CHILDREN for child in signature):
        return "签名里有不允许的元素（Object、Manifest 等）"
    information = signature.find(_ds("SignedInfo"))
    references = information.findall(_ds("Reference")) if information is not None else []
    if information is None or len(references) != 1:
        return "签名的引用不是恰好一个"
    if fault := _elsewhere(root, references[0]):
        return fault
    transforms = [one.get("Algorithm", "") for one in references[0].iter(_ds("Transform"))]
    if _ENVELOPED not in transforms or not set(transforms) <= _TRANSFORMS or len(transforms) > 4:
        return "签名用了不允许的变换（只接受整条消息的封内签名）"
    if signature.find(f"{_ds('KeyInfo')}/{_ds('RetrievalMethod')}") is not None:
        return "签名要从别处取证书，不接受"
    return _unfit(information, references[0])


def _unfit(information: etree._Element, reference: etree._Element) -> str:
    """An algorithm that is not accepted: SHA-1, shared secrets, none at all."""
    for element, allowed, what in (
        (information.find(_ds("SignatureMethod")), {str(one.value) for one in METHODS}, "签名算法"),
        (reference.find(_ds("DigestMethod")), {str(one.value) for one in DIGESTS}, "摘要算法"),
        (information.find(_ds("CanonicalizationMethod")), _CANONICAL, "规范化算法"),
    ):
        named = element.get("Algorithm", "") if element is not None else ""
        if named not in allowed:
            return phrase("不接受的%(what)s“%(given)s”", what=ours(what), given=named.rpartition("#")[2][:40])
    return ""


def _elsewhere(root: etree._Element, reference: etree._Element) -> str:
    """Whether it refers to something else than the whole document: "" names it, and so may the root's own id."""
    uri = reference.get("URI")
    if uri == "":
        return ""
    if not uri or not uri.startswith("#") or "(" in uri:
        return "签名引用了消息以外的内容"
    bearers = [one for one in root.iter() if any(one.get(name) == uri[1:] for name in _IDS)]
    return "" if bearers == [root] else "签名引用的不是整条消息"


def _shown(signature: etree._Element) -> Iterator[x509.Certificate]:
    """The certificates that the signature brings along; what is none is passed over."""
    for element in list(signature.iterfind(f"{_ds('KeyInfo')}/{_ds('X509Data')}/{_ds('X509Certificate')}"))[
        :_CERTIFICATES_MAX
    ]:
        try:
            yield x509.load_der_x509_certificate(base64.b64decode("".join((element.text or "").split()), validate=True))
        except (ValueError, binascii.Error):
            continue


def _ds(name: str) -> str:
    return f"{{{SIGNATURE_NAMESPACE}}}{name}"


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "Signature"
