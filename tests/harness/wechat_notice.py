"""What WeChat's platforms send us, sealed and signed by wechatpy, which nobody here wrote."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import xmltodict
from wechatpy.crypto import WeChatCrypto as OfficialCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as WecomCrypto
from wechatpy.utils import WeChatSigner

TOKEN = "rehearsalToken2026"
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aQ"
APPID = "wx5823bf96d3bd56c7"
CORPID = "ww0123456789abcdef"
CRYPTO = {APPID: OfficialCrypto, CORPID: WecomCrypto}
ACCOUNT = "gh_0123456789ab"


def xml(**texts: object) -> str:
    """A notice; a value that is a dict is an element with elements in it."""
    inner = "".join(f"<{name}>{xml_inner(value)}</{name}>" for name, value in texts.items() if value is not None)
    return f"<xml>{inner}</xml>"


def xml_inner(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml_inner(one)}</{name}>" for name, one in value.items())
    return (
        str(value)
        if isinstance(value, int)
        else f"<![CDATA[{value}]]>"
        if "]]>" not in str(value)
        else escape(str(value))
    )


def sealed(notice: str, owner: str, at: int | None = None) -> tuple[dict[str, str], bytes]:
    """The query and the body of a call with `notice` in it, in 安全模式."""
    moment, nonce = str(int(time.time()) if at is None else at), secrets.token_hex(5)
    body = CRYPTO[owner](TOKEN, AES_KEY, owner).encrypt_message(notice, nonce, moment)
    signature = str(xmltodict.parse(body)["xml"]["MsgSignature"])
    query = {
        "timestamp": moment,
        "nonce": nonce,
        "msg_signature": signature,
        "signature": plain_signature(moment, nonce),
    }
    return {**query, "encrypt_type": "aes"}, body.encode()


def plain(at: int | None = None) -> dict[str, str]:
    """The query of a call in 明文模式."""
    moment, nonce = str(int(time.time()) if at is None else at), secrets.token_hex(5)
    return {"timestamp": moment, "nonce": nonce, "signature": plain_signature(moment, nonce)}


def plain_signature(moment: str, nonce: str) -> str:
    signer = WeChatSigner()
    signer.add_data(TOKEN, moment, nonce)
    return str(signer.signature)


def opened(answer: bytes, owner: str) -> dict[str, Any]:
    """What our sealed answer says."""
    outer = xmltodict.parse(answer)["xml"]
    crypto = CRYPTO[owner](TOKEN, AES_KEY, owner)
    inner = crypto.decrypt_message(answer, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
    found: dict[str, Any] = xmltodict.parse(inner)["xml"]
    return found
