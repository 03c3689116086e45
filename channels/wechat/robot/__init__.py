"""The driver `wechat.robot`: messages of a robot (消息推送) in WeCom groups, of a village or a grid."""

from __future__ import annotations

from channels.wechat.robot.plugin import RobotPlugin

plugin = RobotPlugin()
