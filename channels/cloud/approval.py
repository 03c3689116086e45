"""Whether the provider has approved the templates that the gateway's settings name, in the same words."""

from __future__ import annotations

from broadcaster.errors import UnavailableError

REMEDY = "请在服务商控制台核对模板，并让网关的 templates 与审核通过的内容一致。"


def require_approval(provider: str, code: str, *, approved: bool, content: str, written: str) -> None:
    """`UnavailableError` unless template `code` is approved and its `content` (where the provider tells it) is what the
    settings have `written`, apart from blanks."""
    if not approved:
        raise UnavailableError(f"{provider}：模板 {code} 没有通过审核。", remedy=REMEDY)
    if content and "".join(content.split()) != "".join(written.split()):
        raise UnavailableError(f"{provider}：模板 {code} 审核通过的内容与网关设置中写的不同。", remedy=REMEDY)
