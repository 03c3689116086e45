"""`python -m broadcaster.rehearsal`: one process that plays all gateways and everybody behind them."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from broadcaster.errors import SettingsError
from broadcaster.garbage import collect_rarely
from broadcaster.rehearsal.logbook import Logbook
from broadcaster.rehearsal.script import Script, read_script
from broadcaster.rehearsal.stage import Stage
from channels.line.settings import Address


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 when the script or the address is wrong."""
    arguments = _arguments()
    try:
        address = Address.parse(arguments.listen)
        script = read_script(arguments.config, tuple(arguments.option))
        asyncio.run(_run(address, script, arguments.log, until_input_ends=arguments.until_input_ends))
    except (SettingsError, ValueError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


async def _run(address: Address, script: Script, log: Path, *, until_input_ends: bool) -> None:
    collect_rarely()
    ended = asyncio.Event()
    if until_input_ends:
        _watch_input(ended)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    stage = Stage(script, Logbook(log, script.texts_kept))
    try:
        listening = await stage.listen(address)
        line = listening.pop("line")
        sys.stdout.write(" ".join(["ready", str(line), *(f"{name}={at}" for name, at in listening.items())]) + "\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await stage.stop()


def _watch_input(ended: asyncio.Event) -> None:
    """A parent that dies, however, closes its end of our standard input."""

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            ended.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), read)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m broadcaster.rehearsal",
        description="Play the carriers, the WeChat and mail servers, the loudspeakers, and the people behind them.",
    )
    parser.add_argument("--listen", required=True, metavar="ADDRESS", help="unix:/path/to/socket or tcp:127.0.0.1:port")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the script, JSON")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="e.g. seed=7, sms.loss=0.1")
    parser.add_argument("--log", type=Path, default=Path("rehearsal.log"), metavar="FILE", help="what was received")
    parser.add_argument("--until-input-ends", action="store_true", help="end when standard input does")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
