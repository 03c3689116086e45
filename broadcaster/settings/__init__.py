"""What the operator decides: one file (daohu.toml), overridden by the environment, checked whole at the start.

`load_settings` reads it and either returns `Settings`, complete and checked, or raises one `SettingsError` that names
every wrong key, where its value came from, and what is allowed there.
"""

from broadcaster.settings.loading import load_settings, settings_from
from broadcaster.settings.rules import Secret
from broadcaster.settings.sections import (
    EMBEDDED,
    ApprovalSettings,
    ArchiveSettings,
    DatabaseSettings,
    DataSettings,
    DistrictSettings,
    FeedSettings,
    LogSettings,
    MessageSettings,
    RedisSettings,
    SecuritySettings,
    Settings,
    SpeechSettings,
    TargetSettings,
    WebSettings,
    WorkerSettings,
)

__all__ = [
    "EMBEDDED",
    "ApprovalSettings",
    "ArchiveSettings",
    "DataSettings",
    "DatabaseSettings",
    "DistrictSettings",
    "FeedSettings",
    "LogSettings",
    "MessageSettings",
    "RedisSettings",
    "Secret",
    "SecuritySettings",
    "Settings",
    "SpeechSettings",
    "TargetSettings",
    "WebSettings",
    "WorkerSettings",
    "load_settings",
    "settings_from",
]
