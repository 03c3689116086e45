"""QR codes by which people begin to follow the official account (带参数的永久二维码, `qrcode/create`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from broadcaster.errors import UnavailableError
from channels.http.exchange import NonsenseError
from channels.http.provider import Call
from channels.wechat.asking import posted
from channels.wechat.official.provider import MEANINGS, REMEDY, token_request
from channels.wechat.official.settings import OfficialOptions
from channels.wechat.token import AccessToken
from channels.wechat.wording import worded


class _Code(msgspec.Struct):
    errcode: int = 0
    errmsg: str = ""
    url: str = ""


_DECODER = msgspec.json.Decoder(_Code)


async def invite(options: OfficialOptions, call: Call, scenes: Sequence[str]) -> Mapping[str, str]:
    """By scene what its code holds, `http://weixin.qq.com/q/…`; an account has 100,000 such codes. `UnavailableError`
    when there is none."""
    token = AccessToken(token_request(options), MEANINGS, REMEDY)
    try:
        await token.fetch(call)
        url = (options.url / "cgi-bin/qrcode/create").with_query(access_token=token.value)
        found: dict[str, str] = {}
        for scene in scenes:
            content = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
            code = (await call(posted("qrcode/create", url, content))).read(_DECODER)
            if code.errcode or not code.url:
                why = worded(code.errcode, code.errmsg, MEANINGS)
                raise UnavailableError(f"微信平台没有给出二维码：{why}。", remedy=REMEDY)
            found[scene] = code.url
    except NonsenseError as problem:
        raise UnavailableError(f"微信平台的答复看不懂：{problem}。", remedy="请检查网关的 endpoint。") from problem
    return found
