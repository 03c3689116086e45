"""The installation's secret, from which whatever is signed or sealed has its key."""

from __future__ import annotations

import secrets
from pathlib import Path

from broadcaster.errors import SettingsError


def secret_key(configured: str | None, folder: Path) -> bytes:
    """The configured secret, else that in `secret.key` in `folder`, made when there is none; `SettingsError` when it
    cannot be."""
    if configured is not None:
        return configured.encode()
    path = folder / "secret.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"读写不了密钥文件 {path}：{error.strerror}。",
            remedy="请检查 [data] dir 的权限，或设置 [security] secret_key。",
        ) from error


def _write_once(path: Path, text: str) -> None:
    """Two processes may start at once: the first to write wins, nobody ever reads half a key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
