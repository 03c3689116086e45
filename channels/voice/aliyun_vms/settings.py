"""The options of a gateway at Alibaba Cloud's Voice Messaging Service."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.cloud.options import TemplateOptions, Word
from channels.options import named

Number = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{0,32}\Z", description="至多 32 位数字和字母")]


class VmsOptions(TemplateOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys.

    `caller` 被叫显号, a number that was bought or the id of a service instance, "" for the provider's common pool;
    `keys` the code of the template that is said when a key was pressed: where it is given, and the message asks for an
    answer, the call collects keys (IvrCall), which needs a `caller`; `key_wait` seconds for them. `repeats` how often
    the message is said. `templates` are 文本转语音模板, without line breaks.
    """

    needed: ClassVar[str] = "access_key_id、access_key_secret、templates"
    home: ClassVar[str] = "https://dyvmsapi.aliyuncs.com"
    variable: ClassVar[re.Pattern[str]] = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]{0,24})\}")
    what: ClassVar[str] = "语音"

    access_key_id: Word
    access_key_secret: Word
    caller: Number = ""
    keys: Word | None = None
    key_wait: Annotated[float, Meta(ge=1, le=30)] = 5.0
    repeats: Annotated[int, Meta(ge=1, le=3)] = 2
    variable_max: Annotated[int, Meta(ge=1, le=500)] = 100

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        options = super().read(gateway)
        if options.keys is not None and not options.caller:
            raise SettingsError(
                f"{named(gateway)}：收按键（keys）要有 caller。", remedy="请填写已购买的主叫号码，或去掉 keys。"
            )
        return options
