"""阿里云智能语音交互 in [[speech.engines]]."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import EngineSettings
from channels.speech import aliyun_nls
from channels.speech.entry import Options, Rate, Seconds, Share, Tag, Word, endpoint, read, said, trust
from channels.speech.synthesizer import Synthesizer


class AliyunOptions(Options, frozen=True, kw_only=True):
    """Either `token`, or an access key by which tokens are made."""

    needed: ClassVar[str] = "voices、app_key，以及 access_key_id 和 access_key_secret（或 token）"

    voices: Annotated[dict[Tag, Word], Meta(min_length=1)]
    app_key: Word
    token: str = ""
    access_key_id: str = ""
    access_key_secret: str = ""
    endpoint: str = "https://nls-gateway-cn-shanghai.aliyuncs.com"
    token_endpoint: str = "https://nls-meta.cn-shanghai.aliyuncs.com"  # noqa: S105
    ca_file: str = ""
    speech_rate: Rate = 0
    pitch_rate: Rate = 0
    volume: Share = 50
    timeout: Seconds = 5.0


def made(settings: EngineSettings) -> Synthesizer:
    """The engine of its entry; `SettingsError` when that is wrong."""
    options = read(settings, AliyunOptions)
    keyed = bool(options.access_key_id) and bool(options.access_key_secret)
    if not (keyed or options.token):
        raise SettingsError(
            f"{said(settings)}：没有凭据。",
            remedy="请写 access_key_id 和 access_key_secret；token 一两天就过期，只用于试验。",
        )
    account = aliyun_nls.Account(
        app_key=options.app_key,
        token=options.token,
        access_key_id=options.access_key_id if keyed else "",
        access_key_secret=options.access_key_secret,
        endpoint=endpoint(settings, "endpoint", options.endpoint, "https"),
        token_endpoint=endpoint(settings, "token_endpoint", options.token_endpoint, "https"),
    )
    manner = aliyun_nls.Manner(options.speech_rate, options.pitch_rate, options.volume)
    return aliyun_nls.AliyunSynthesizer(
        account, options.voices, manner, trust=trust(settings, options.ca_file), timeout=options.timeout
    )
