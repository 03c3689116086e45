"""The access token of an account, as one slot keeps it: renewed shortly before its end, and when it is found stale.

The official account's `stable_token` and WeCom's `gettoken` give everybody who asks the same token as long as it is
good, so that slots, workers and machines do not take it away from each other, and nobody has to hand it round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from broadcaster.errors import UnavailableError
from channels.http.exchange import NonsenseError, Request
from channels.http.provider import Call
from channels.wechat.wording import worded

MARGIN = 240.0
"""Seconds before its end at which a token is replaced: in its last five minutes the platform gives a new one, and both
are good."""

STALE = frozenset({40001, 40014, 41001, 42001})
"""errcodes of a token that is no longer good, the same on both platforms."""

Monotonic = Callable[[], float]


class _Granted(msgspec.Struct):
    errcode: int = 0
    errmsg: str = ""
    access_token: str = ""
    expires_in: float = 0.0


_DECODER = msgspec.json.Decoder(_Granted)


class AccessToken:
    """`request` asks for it; `meanings` are what the platform's errcodes mean; `remedy` is what to do about them."""

    def __init__(
        self, request: Request, meanings: Mapping[int, str], remedy: str, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._request = request
        self._meanings = meanings
        self._remedy = remedy
        self._monotonic = monotonic
        self._replace_at = 0.0
        self.value = ""

    async def fetch(self, call: Call) -> None:
        """Ask for it; `UnavailableError` says why there is none. May raise `NonsenseError`."""
        answer = await call(self._request)
        granted = answer.read(_DECODER)
        if granted.errcode:
            why = worded(granted.errcode, granted.errmsg, self._meanings)
            raise UnavailableError(f"微信平台没有发放 access_token：{why}。", remedy=self._remedy)
        if not granted.access_token or granted.expires_in <= 0:
            raise NonsenseError(f"HTTP {answer.status}，答复里没有 access_token")
        self.value = granted.access_token
        self._replace_at = self._monotonic() + granted.expires_in - min(MARGIN, granted.expires_in / 2)

    def due(self) -> bool:
        """Whether it is time to replace it."""
        return self._monotonic() >= self._replace_at
