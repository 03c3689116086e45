"""PostgreSQL and Valkey, brought by wheels and kept by daohu itself under the data folder.

`EmbeddedServers` is what a daohu process holds. The first holder starts the *keeper*, a small process of its own that
is the servers' parent; further holders attach; when the last holder leaves, or is killed, the keeper stops the servers
in order. Whether somebody still holds is a file lock, which the kernel frees however a process ends.
"""

from broadcaster.embedded.servers import EmbeddedServers, Endpoints
from broadcaster.embedded.watch import watch

__all__ = ["EmbeddedServers", "Endpoints", "watch"]
