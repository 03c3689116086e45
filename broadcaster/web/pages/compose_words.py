"""The words of writing and deciding about alerts, for `words.py`."""

from __future__ import annotations

SAID = {
    "kept": "草稿已保存。",
    "copied": "已另存为一份草稿。",
    "discarded": "草稿已删除。",
    "submitted": "已提交审核。",
    "recalled": "已撤回，可以修改。",
    "approved": "已批准。",
    "rejected": "已退回起草人。",
    "issued": "已发布。",
    "ended": "已结束。",
}
"""What the form before has done."""

COMPOSE_WORDS: dict[str, dict[str, str]] = {
    "offer": {
        "review": "审核",
        "edit": "修改",
        "submit": "提交审核",
        "recall": "撤回审核",
        "update": "更新",
        "cancel": "解除",
        "misfire": "误发更正",
        "end": "结束",
    },
    "draft_field": {
        "hazard": "灾种",
        "colour": "颜色",
        "kind": "类型",
        "status": "实战还是演练",
        "scope": "发给",
        "regions": "地区",
        "shapes": "图形",
        "expires": "有效至",
        "valid_hours": "有效时间（小时）",
        "headline": "标题",
        "description": "内容",
        "instruction": "防御指引",
        "headline_en": "英文标题",
        "description_en": "英文内容",
        "instruction_en": "英文防御指引",
    },
    "lack": {
        "hazard": "没有选择灾种",
        "colour": "没有选择预警等级颜色",
        "info": "没有任何内容",
        "headline": "没有标题",
        "instruction": "没有写明要采取的行动",
        "effective": "没有生效时间",
        "expires": "没有失效时间",
        "expired": "失效时间已过",
        "times": "失效时间应晚于生效时间",
        "area": "没有选择区域",
        "geometry": "图形不对",
        "predecessor": "没有引用本系统发布过的预警",
        "predecessor-superseded": "引用的预警已被取代",
        "predecessor-state": "引用的预警不是已发布的",
        "predecessor-status": "演练与实战不能互相更新或取消",
        "predecessor-several": "一次只能更新或取消一条预警",
        "type": "这种消息不能向公众发布",
        "status": "这种状态的消息不能发布",
        "scope": "只给指定收件人的消息不能广播",
    },
}
