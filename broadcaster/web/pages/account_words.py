"""The words of the pages about accounts and the audit; see `words.py`."""

from __future__ import annotations

ACCOUNT_WORDS: dict[str, dict[str, str]] = {
    "account_role": {
        "viewer": "查看",
        "author": "值班员（撰写、发布）",
        "approver": "带班领导（批准）",
        "administrator": "管理员",
        "village_head": "村书记",
        "grid_member": "网格员",
        "instrument": "监测设备（上报数据）",
    },
    "account_fault": {
        "password": "应为 10 到 200 个字符；一句短话最好记。",
        "again": "两次输入的不一样。",
        "current": "现在的密码不对。",
        "same": "请换一个与现在不同的密码。",
        "code": "验证码不对，或已经用过；请等应用显示下一个，再输入。",
        "name": "请用 2 到 64 个文字、数字、点、横线或下划线。",
        "taken": "这个账户名已经有人用了。",
        "no_role": "请至少给一个角色；不再使用的账户请停用。",
        "region": "没有这个地区，或不在您的辖区内；请从列表中选。",
        "ambiguous": "有几个地区同名；请从列表中选，或填代码。",
        "role": "请选一个角色；要去掉这一行，请把地区也清空。",
        "last": "不能这样做：有的地区会没有管理员。请先让另一个账户成为该地区的管理员。",
        "raise": "不能给自己更多的权限；请由另一位管理员授予。",
        "label": "应为 1 到 64 个字符。",
        "label_taken": "这个账户已有同名的令牌在用。",
        "days": "请从列表中选。",
    },
    "audit_fault": {
        "account": "没有这个账户。",
        "alert": "应为预警的编号，例如 12。",
        "day": "应为日期，例如 2026-08-09。",
        "head": "应为 序号:64位十六进制摘要。",
    },
}

ACCOUNT_AUDITED = {
    "sign_in.locked": "登录失败太多，开始等待",
    "sign_in.failed": "登录失败（一小时汇总）",
    "alert.create": "起草预警",
    "alert.edit": "修改预警",
    "alert.submit": "提交审批",
    "alert.recall": "撤回审批",
    "alert.approve": "批准",
    "alert.reject": "退回",
    "alert.issue": "发布",
    "alert.end": "结束",
    "alert.update": "起草更新",
    "alert.cancel": "起草解除",
    "alert.archive": "归档",
    "households.export": "下载住户名单",
    "unit.confirm": "代为确认",
    "help.close": "办结求助",
    "account.create": "新建账户",
    "account.grant": "更改角色",
    "account.off": "停用账户",
    "account.on": "恢复账户",
    "account.password": "更换密码",
    "factor.on": "启用两步验证",
    "factor.off": "取消两步验证",
    "factor.codes": "更换恢复码",
    "factor.recovery": "用恢复码登录",
    "token.give": "发放令牌",
    "token.end": "收回令牌",
    "session.open": "登录",
    "audit.export": "下载审计记录",
}
"""What the audit says was done."""

SAID = {
    "password_changed": "密码已更换，其他设备上的登录已退出。",
    "sessions_ended": "其他设备上的登录已退出。",
    "session_ended": "那台设备上的登录已退出。",
    "factor_off": "两步验证已停用。",
    "roles_changed": "角色已更改。",
    "account_off": "账户已停用。",
    "account_on": "账户已恢复。",
    "factor_reset": "两步验证已重置。",
    "token_ended": "令牌已收回。",
}
"""What the forms of these pages say when they are done."""
