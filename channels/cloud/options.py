"""The options that all cloud providers have which send by approved templates: short messages, calls."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.cloud.wording import Wording, Wordings
from channels.http.settings import HttpOptions, Secret
from channels.options import named

Word = Annotated[str, Meta(pattern=r"^[\x21-\x7e]+$", max_length=128, description="不含空格的英文字符，1 到 128 个")]
HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$", description="主机名，可带端口")]


class TemplateOptions(HttpOptions, frozen=True, kw_only=True):
    """`templates` 模板 by code, in the words that were approved: the first that fits is used; `variable_max` characters
    of a variable; `callback_token` what the provider shows when it calls back; `host` what the provider calls itself,
    where `endpoint` is a proxy."""

    variable: ClassVar[re.Pattern[str]]
    what: ClassVar[str] = "短信"

    templates: Annotated[dict[Word, str], Meta(min_length=1, max_length=50)]
    variable_max: Annotated[int, Meta(ge=1, le=500)]
    callback_token: Secret | None = None
    host: HostName | None = None

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        options = super().read(gateway)
        for code, written in options.templates.items():
            try:
                options.check_template(Wording.read(code, written, cls.variable))
            except ValueError as problem:
                raise SettingsError(
                    f"{named(gateway)}：templates 中的模板 {code} {problem}。",
                    remedy="请照服务商控制台里审核通过的模板内容填写，变量的写法不变，不带签名。",
                ) from problem
        return options

    @staticmethod
    def check_template(wording: Wording) -> None:
        """ValueError when the provider cannot have such a template."""

    @property
    def wordings(self) -> Wordings:
        """The templates, read."""
        templates = tuple(Wording.read(code, written, self.variable) for code, written in self.templates.items())
        return Wordings(self.signature, templates, self.variable_max, self.what)

    @property
    def signature(self) -> str:
        """What the provider writes before every message, "" nothing."""
        return ""

    @property
    def signed_host(self) -> str:
        """The Host header, which the signature covers."""
        return self.host or self.url.host_port_subcomponent or ""


class CloudOptions(TemplateOptions, frozen=True, kw_only=True):
    """Short messages: `sign` 短信签名 without brackets."""

    sign: Annotated[str, Meta(pattern=r"^[^【】\[\]\s]{2,30}$", description="2 到 30 个字的短信签名，不带括号和空格")]

    @property
    def signature(self) -> str:
        return self.sign
