"""Make the virtual environment `.venv` with only the standard library: `python3 deploy/environment.py [base|dev]`.

Packages are pinned by hash in requirements/. They are first gathered in a wheelhouse in the user's cache, so that a
second clone, or the same one without a network, is set up from there. Nothing is done when nothing has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".daohu"
OLDEST = (3, 11)


def main() -> int:
    parser = argparse.ArgumentParser(description="建立 .venv 并安装依赖。")
    parser.add_argument("extent", choices=("base", "dev"), nargs="?", default="dev", help="base 只够运行；dev 还能测试")
    extent = parser.parse_args().extent
    if sys.version_info < OLDEST:
        return refuse(f"需要 Python {'.'.join(map(str, OLDEST))} 或更新的版本，这是 {sys.version.split()[0]}。")
    wanted = fingerprint(extent)
    if is_done(extent, wanted):
        return 0
    try:
        make_venv()
        install(extent)
    except subprocess.CalledProcessError as error:
        return refuse(f"这一步没有成功（退出码 {error.returncode}）：{' '.join(map(str, error.cmd))}")
    except LookupError as error:
        return refuse(str(error))
    STAMP.write_text(f"{extent} {wanted}\n{'base' if extent == 'dev' else extent} {fingerprint('base')}\n")
    return 0


def refuse(what: str) -> int:
    sys.stderr.write(f"make setup：{what}\n")
    return 1


def fingerprint(extent: str) -> str:
    """Changes when anything changes that decides what is installed and how the command starts."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {sys.executable}".encode())
    for path in (requirements(extent), ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_done(extent: str, wanted: str) -> bool:
    return STAMP.exists() and PYTHON.exists() and f"{extent} {wanted}" in STAMP.read_text().splitlines()


def requirements(extent: str) -> Path:
    return ROOT / "requirements" / f"{extent}.txt"


def make_venv() -> None:
    """A `.venv` of this Python with a pip in it, or reaching a pip outside (see `pip`)."""
    STAMP.unlink(missing_ok=True)
    if works(PYTHON) and same_version():
        return
    if importlib.util.find_spec("ensurepip") is not None:
        run(sys.executable, "-m", "venv", "--clear", VENV)
        return
    # Debian and Ubuntu ship Python without ensurepip.
    if importlib.util.find_spec("pip") is not None:
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)
    elif os.geteuid() == 0 and shutil.which("apt-get"):
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        sys.stderr.write(f"make setup：缺少 ensurepip，正在用 apt-get 安装 {package}…\n")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
        run(sys.executable, "-m", "venv", "--clear", VENV)
    else:
        raise LookupError(
            "这个 Python 没有 pip，也没有 ensurepip。Debian、Ubuntu 上请先运行：sudo apt-get install python3-venv"
        )


def works(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


def same_version() -> bool:
    asked = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version_info[:2])"], check=True, capture_output=True, text=True
    )
    return asked.stdout.strip() == str(sys.version_info[:2])


def pip(*words: str | Path) -> list[str | Path]:
    """A pip command for `.venv`: with its own pip, or the outer Python's where the venv could not get one."""
    inside = subprocess.run([PYTHON, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0
    command: list[str | Path] = [PYTHON, "-m", "pip"] if inside else [sys.executable, "-m", "pip", "--python", PYTHON]
    return [*command, "--disable-pip-version-check", "--no-input", *words]


def install(extent: str) -> None:
    house = wheelhouse()
    # The file names everything there is to install. Asked for dependencies, an older pip takes `coverage[toml]` for a
    # package beside the pinned `coverage`, finds a newer release without a hash, and stops.
    common = ("--require-hashes", "--no-deps", "--only-binary=:all:", "-r", requirements(extent))
    gathered = ("install", "--quiet", "--no-index", "--find-links", house, *common)
    house.mkdir(parents=True, exist_ok=True)
    sys.stderr.write("make setup：正在安装依赖…\n")
    if subprocess.run(pip(*gathered), check=False, capture_output=True, cwd=ROOT).returncode != 0:
        sys.stderr.write("make setup：正在下载依赖（只在第一次，或依赖有变化时）…\n")
        run(*pip("download", "-qq", "--progress-bar=off", "--dest", house, *common))
        run(*pip(*gathered))
    run(*pip("install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--editable", ROOT))
    run(*pip("check", "-qq"))


def wheelhouse() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("DAOHU_WHEELS") or cache / "daohu" / "wheels")


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
