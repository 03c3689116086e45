"""Runs the ffmpeg that comes with the `imageio-ffmpeg` wheel. Blocks: call it from a worker thread."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import imageio_ffmpeg

from broadcaster.errors import UnavailableError

REMEDY = "请运行 daohu doctor 检查音频编码器；可用环境变量 IMAGEIO_FFMPEG_EXE 指定 ffmpeg。"


class FfmpegError(Exception):
    """ffmpeg ran and refused; the message is the last line it wrote."""


def run(arguments: Sequence[str], data: bytes, *, timeout: float) -> bytes:
    """Give `data` on stdin, return stdout. FfmpegError when ffmpeg refuses, `UnavailableError` when it cannot run."""
    try:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error", *arguments]
        done = subprocess.run(command, input=data, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"音频编码器 {timeout:g} 秒内没有完成。", remedy=REMEDY) from error
    except (OSError, RuntimeError) as error:
        raise UnavailableError(f"音频编码器无法运行：{error}", remedy=REMEDY) from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise FfmpegError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout
