"""The driver `wechat.wecom`: messages of an app in the office's WeCom (企业微信)."""

from __future__ import annotations

from channels.wechat.wecom.plugin import WecomPlugin

plugin = WecomPlugin()
