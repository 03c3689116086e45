"""Names and addresses for whoever has not asked to see them: enough to recognise, too little to use."""

from __future__ import annotations

from audiences import phone


def name(text: str) -> str:
    """张三 → 张*, 欧阳修 → 欧**: the first character alone; "" stays empty."""
    return text[:1] + "*" * min(max(len(text) - 1, 0), 2)


def address(medium: str, text: str) -> str:
    """138****1234 for a telephone, a**@example.cn for mail, the first three and last two of anything else."""
    if medium == "phone" and len(text) >= 11:
        return f"{text[:3]}****{text[-4:]}"
    if medium == "email" and "@" in text:
        local, _, domain = text.rpartition("@")
        return f"{local[:1]}**@{domain}"
    return phone.mask(text)
