"""Where everything of the embedded servers lies under the data folder, and where their sockets may lie."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from broadcaster.errors import UnavailableError

POSTGRES_PORT = 5432
"""Names the socket file only; nothing listens on TCP."""

DATABASE = "daohu"
SUPERUSER = "postgres"

LOOK = signal.SIGUSR1
"""Asks the keeper to look at once whether anybody still holds the servers, and to stop them if not."""

_SOCKET_PATH_BYTES = 107
"""Linux, unix(7): sun_path holds 108 bytes with the closing zero."""

_LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one set of embedded servers; `data` is absolute."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def control(self) -> Path:
        """The folder of the locks and of what the keeper says about itself."""
        return self.data / "embedded"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the servers, exclusively by the keeper while it stops them."""
        return self.control / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that is looking for a keeper or starting it."""
        return self.control / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper as long as it lives; contains its process id."""
        return self.control / "keeper.lock"

    @property
    def report(self) -> Path:
        """What the keeper says: the servers it keeps, or why it could not start them (JSON)."""
        return self.control / "keeper.json"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: under the data folder, or in the temporary folder if that path is too long."""
        wanted = self.data / "run"
        if len(os.fsencode(wanted)) + len(_LONGEST_SOCKET_NAME) <= _SOCKET_PATH_BYTES:
            return wanted
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"daohu-{digest}"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / f".s.PGSQL.{POSTGRES_PORT}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgres://{SUPERUSER}@/{DATABASE}?host={quote(str(self.sockets), safe='/')}&port={POSTGRES_PORT}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.valkey_socket), safe='/')}"

    def make_folders(self) -> None:
        """Create what is missing; raises `UnavailableError` when the disk says no."""
        try:
            for folder in (self.data, self.control, self.logs):
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"无法建立数据目录 {error.filename}：{error.strerror}。",
                remedy="请检查 [data] dir 所在磁盘的空间和权限，或换一个可写的目录。",
            ) from error
        if not os.access(self.control, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            raise UnavailableError(
                f"当前系统用户（uid {os.geteuid()}）不能读写 {self.control}。",
                remedy="数据目录属于另一个系统用户：请用那个用户运行 daohu，或用 chown 更换目录的属主。",
            )


def private_folder(path: Path, owner: int, group: int) -> None:
    """Make `path` a folder that only `owner` enters; refuse one that somebody else prepared (a shared /tmp)."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        raise UnavailableError(
            f"{path} 已被系统用户 {found.st_uid} 占用，不能用来存放数据库的套接字。",
            remedy="请删除该目录，或把 [data] dir 换成较短的路径。",
        )
    if (found.st_uid, found.st_gid) != (owner, group):
        os.chown(path, owner, group)
    path.chmod(0o700)
