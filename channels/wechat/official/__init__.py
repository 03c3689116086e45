"""The driver `wechat.official`: template messages of the office's official account (公众号)."""

from __future__ import annotations

from channels.wechat.official.plugin import OfficialPlugin

plugin = OfficialPlugin()
