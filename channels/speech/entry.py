"""An entry of [[speech.engines]]: what all engines may say there, and how it is read."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Meta
from yarl import URL

from broadcaster import options
from broadcaster.errors import SettingsError
from broadcaster.phrase import phrase
from broadcaster.ports import EngineSettings
from broadcaster.trust import is_loopback, tls_context

Word = Annotated[str, Meta(min_length=1, max_length=256)]
Tag = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="语言代码，如 zh-CN")]
Seconds = Annotated[float, Meta(ge=0.5, le=120)]
Share = Annotated[int, Meta(ge=0, le=100)]
Rate = Annotated[int, Meta(ge=-500, le=500)]

Shape = TypeVar("Shape", bound="Options")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an engine's entry may say besides `engine`. `voices` are the engine's own names by BCP 47 language."""

    needed: ClassVar[str] = ""


def read(settings: EngineSettings, shape: type[Shape]) -> Shape:
    """The entry as `shape` has it; `SettingsError` names the key that is wrong and what is allowed."""
    return options.read(settings.options, shape, said(settings), shape.needed)


def said(settings: EngineSettings) -> str:
    """How an entry is named to its writer."""
    if not settings.place:
        return phrase("语音引擎 %(engine)s", engine=settings.engine)
    return phrase("语音引擎 %(engine)s（%(place)s）", engine=settings.engine, place=settings.place)


def file_of(settings: EngineSettings, key: str, name: str) -> Path:
    """The file that `key` names; `SettingsError` when it is not there."""
    path = settings.folder / Path(name).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"{said(settings)}：{key} 的文件 {path} 不存在。", remedy="应为文件路径；相对路径从设置文件所在目录算起。"
        )
    return path


def endpoint(settings: EngineSettings, key: str, written: str, scheme: str) -> URL:
    """The address; over the network only encrypted, plain to this machine. `SettingsError` for anything else."""
    plain = scheme.removesuffix("s")
    try:
        url = URL(written)
        good = url.scheme in (scheme, plain) and bool(url.host) and not (url.query_string or url.fragment or url.user)
    except ValueError:
        good = False
    if not good or (url.scheme == plain and not is_loopback(url.host or "")):
        raise SettingsError(
            f"{said(settings)}：{key} 不是可用的服务地址。",
            remedy=f"应为 {scheme}://主机[:端口][/路径]；只有本机上的代理可以用 {plain}://。",
        )
    return url


def trust(settings: EngineSettings, file: str) -> ssl.SSLContext:
    """Whose certificates are believed: the machine's, or those in `file`; `SettingsError` when it cannot be used."""
    return tls_context(said(settings), "ca_file", str(settings.folder / Path(file).expanduser()) if file else "")
