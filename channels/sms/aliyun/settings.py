"""The options of a gateway at Alibaba Cloud."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from channels.cloud.options import CloudOptions, Word


class AliyunOptions(CloudOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys. A variable of the kind 其他 takes 35 characters."""

    needed: ClassVar[str] = "access_key_id、access_key_secret、sign、templates"
    home: ClassVar[str] = "https://dysmsapi.aliyuncs.com"
    variable: ClassVar[re.Pattern[str]] = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]{0,24})\}")

    access_key_id: Word
    access_key_secret: Word
    variable_max: Annotated[int, Meta(ge=1, le=500)] = 35
