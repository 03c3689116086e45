"""What a worker of text messages holds from its start: nothing that only others need."""

import subprocess
import sys
from pathlib import Path

SETTINGS = """
[district]
code = "330212"
name = "鄞州区"
[[gateways]]
name = "mobile"
channel = "sms"
driver = "cmpp"
rate = 100
host = "127.0.0.1"
user = "901234"
password = "secret"
source = "10690001"
"""

START = """
import sys
from pathlib import Path

import broadcaster.cli.app
import broadcaster.cli.running
import broadcaster.house
from broadcaster.cli.telling import outlets, writing
from broadcaster.registry import Registry
from broadcaster.settings import load_settings

settings = load_settings(Path(sys.argv[1]), environment={})
Registry.installed().check(settings.gateways)
studio = broadcaster.house.studio_of(settings)
write, outlet = writing(settings), outlets()
print(*sys.modules, sep="\\n")
"""

FOREIGN = {
    "HTTP": ("aiohttp",),
    "XML and its signatures": ("lxml", "signxml", "gmalg"),
    "workbooks, documents, pictures": ("openpyxl", "numpy", "reportlab", "PIL", "segno"),
    "mail": ("aiosmtplib", "flufl", "channels.email"),
    "other media": ("channels.wechat", "channels.voice", "channels.loudspeaker", "channels.sms.aliyun"),
    "instruments, sources, subscribers": ("adapters", "aiomqtt"),
    "speech services": ("sherpa_onnx", "channels.speech.cloud"),
    "pages": ("broadcaster.web", "babel"),
    "drills": ("broadcaster.rehearsal", "broadcaster.demo", "broadcaster.testing"),
}


def test_a_worker_of_text_messages_loads_nothing_that_only_others_need(tmp_path: Path) -> None:
    settings = tmp_path / "daohu.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    started = subprocess.run(
        [sys.executable, "-c", START, str(settings)], capture_output=True, text=True, check=False, timeout=300
    )
    assert started.returncode == 0, started.stderr
    loaded = set(started.stdout.split())
    assert "channels.sms.cmpp" in loaded
    found = {what: [name for name in names if name in loaded] for what, names in FOREIGN.items()}
    assert not any(found.values()), found
