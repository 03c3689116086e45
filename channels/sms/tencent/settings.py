"""The options of a gateway at Tencent Cloud."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from channels.cloud.options import CloudOptions, Word
from channels.cloud.wording import Wording


class TencentOptions(CloudOptions, frozen=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys: `app_id` is the SmsSdkAppId.

    For an office that is verified as an organization the interface does not limit a variable; the review may.
    """

    needed: ClassVar[str] = "secret_id、secret_key、app_id、sign、templates"
    home: ClassVar[str] = "https://sms.tencentcloudapi.com"
    variable: ClassVar[re.Pattern[str]] = re.compile(r"\{([1-9][0-9]?)\}")

    secret_id: Word
    secret_key: Word
    app_id: Annotated[str, Meta(pattern=r"^[0-9]{6,20}$", description="6 到 20 位数字")]
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]+$", description="地域代码，如 ap-guangzhou")] = "ap-guangzhou"
    variable_max: Annotated[int, Meta(ge=1, le=500)] = 500

    @staticmethod
    def check_template(wording: Wording) -> None:
        """Templates are numbers here, and so are variables, from 1."""
        if not wording.code.isdecimal():
            raise ValueError("的编号不是数字")
        if sorted(map(int, wording.names)) != list(range(1, len(wording.names) + 1)):
            raise ValueError("的变量不是从 {1} 起连续编号")
