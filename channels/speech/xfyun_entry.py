"""讯飞 in [[speech.engines]]."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from broadcaster.ports import EngineSettings
from channels.speech import xfyun
from channels.speech.entry import Options, Seconds, Share, Tag, Word, endpoint, read, trust
from channels.speech.synthesizer import Synthesizer


class XfyunOptions(Options, frozen=True, kw_only=True):
    """The application's three keys."""

    needed: ClassVar[str] = "voices、app_id、api_key、api_secret"

    voices: Annotated[dict[Tag, Word], Meta(min_length=1)]
    app_id: Word
    api_key: Word
    api_secret: Word
    endpoint: str = "wss://tts-api.xfyun.cn/v2/tts"
    ca_file: str = ""
    speed: Share = 50
    pitch: Share = 50
    volume: Share = 50
    timeout: Seconds = 5.0


def made(settings: EngineSettings) -> Synthesizer:
    """The engine of its entry; `SettingsError` when that is wrong."""
    options = read(settings, XfyunOptions)
    account = xfyun.Account(
        app_id=options.app_id,
        api_key=options.api_key,
        api_secret=options.api_secret,
        endpoint=endpoint(settings, "endpoint", options.endpoint, "wss"),
    )
    manner = xfyun.Manner(options.speed, options.volume, options.pitch)
    return xfyun.XfyunSynthesizer(
        account, options.voices, manner, trust=trust(settings, options.ca_file), timeout=options.timeout
    )
