"""The example of a production office is one that `daohu` accepts."""

from __future__ import annotations

from pathlib import Path

from broadcaster.settings import load_settings

EXAMPLE = Path(__file__).parents[3] / "deploy" / "daohu.toml"


def test_the_production_example_is_accepted_once_its_secrets_are_there(tmp_path: Path) -> None:
    secrets = {
        "database.url": "postgres://a:b@db/daohu",
        "redis.url": "rediss://:b@redis:6379/0",
        "secret.key": "k" * 40,
    }
    words = EXAMPLE.read_text(encoding="utf-8")
    for name, content in secrets.items():
        (tmp_path / name).write_text(content)
        words = words.replace(f"/etc/daohu/{name}", name)
    (tmp_path / "daohu.toml").write_text(words, encoding="utf-8")
    settings = load_settings(tmp_path / "daohu.toml", environment={})
    assert settings.database.pool == 20
    assert settings.security.secret_key == "k" * 40
