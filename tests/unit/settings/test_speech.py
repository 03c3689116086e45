"""Speech in the settings: what is wrong is said at start, with key, place and what is allowed, and never with a
secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.errors import SettingsError
from broadcaster.house import studio_of
from broadcaster.settings import load_settings

HEAD = '[district]\ncode = "330212"\nname = "鄞州区"\n'
NLS = 'engine = "aliyun_nls"\nvoices = { "zh-CN" = "xiaoyun" }\napp_key = "k"\n'
XFYUN = 'engine = "xfyun"\nvoices = { zh = "x" }\napp_id = "a"\napi_key = "hidden1"\napi_secret = "hidden2"\n'


def start(folder: Path, *entries: str, speech: str = "", **environment: str) -> None:
    """What a start does with these settings."""
    file = folder / "daohu.toml"
    tables = "".join(f"[[speech.engines]]\n{entry}" for entry in entries)
    file.write_text(f"{HEAD}[speech]\n{speech}\n{tables}", encoding="utf-8")
    studio_of(load_settings(file, environment=environment))


def test_without_engines_espeak_speaks(tmp_path: Path) -> None:
    start(tmp_path)


def test_engines_and_a_lexicon_as_the_documents_write_them(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("大堡村 = 大铺村", encoding="utf-8")
    start(
        tmp_path,
        f'{NLS}access_key_id = "id"\naccess_key_secret = {{ env = "NLS_SECRET" }}\n',
        XFYUN,
        'engine = "espeak"\nspeed = 150\nvoices = { ug = "ug" }\n',
        speech='lexicon = "words.txt"\ndialects = ["yue"]\n',
        NLS_SECRET="secret",
    )


WRONG = [
    ('engine = "siri"\n', ["siri", "daohu.toml:6", "espeak、piper、sherpa_onnx、aliyun_nls、xfyun"]),
    ('engine = "espeak"\nspeed = 10\n', ["speed", "80", "daohu.toml:6"]),
    ('engine = "espeak"\nspeeed = 150\n', ["speeed", "speed"]),
    ('engine = "piper"\nvoices = { zh = "none.onnx" }\n', ["voices.zh", "none.onnx", "不存在"]),
    (
        'engine = "piper"\nvoices = { zh = "none.onnx" }\ncommand = ["/none/piper"]\n',
        ["command", "/none/piper", "pip install"],
    ),
    ('engine = "piper"\n', ["voices", "必填"]),
    (
        'engine = "sherpa_onnx"\nvoices = { zh = 0 }\nmodel = "m"\ntokens = "t"\nkind = "tts"\n',
        ["kind", "daohu.toml:6"],
    ),
    ('engine = "sherpa_onnx"\nvoices = { zh = 0 }\nmodel = "m"\ntokens = "t"\nkind = "matcha"\n', ["vocoder"]),
    ('engine = "sherpa_onnx"\nvoices = { zh = 0 }\nmodel = "m"\ntokens = "t"\n', ["model", "不存在"]),
    (NLS, ["没有凭据", "access_key_id"]),
    (f'{NLS}token = "hidden1"\nendpoint = "http://nls.example.com"\n', ["endpoint", "https://"]),
    (f'{NLS}token = "hidden1"\nca_file = "none.pem"\n', ["ca_file"]),
    (f'{NLS}token = "hidden1"\nvolume = 101\n', ["volume", "100"]),
    (f'{XFYUN}endpoint = "https://tts.example.com"\n', ["endpoint", "wss://"]),
    (f'{XFYUN}voice = "x"\n', ["voice", "voices"]),
    ('engine = "xfyun"\nvoices = { "中文" = "x" }\napp_id = "a"\napi_key = "k"\napi_secret = "s"\n', ["voices"]),
    ('engine = "Xfyun!"\n', ["speech.engines.0.engine", "daohu.toml:7"]),
]


@pytest.mark.parametrize(("entry", "said"), WRONG)
def test_a_wrong_entry_is_said_with_its_place_and_what_is_allowed(tmp_path: Path, entry: str, said: list[str]) -> None:
    with pytest.raises(SettingsError) as failure:
        start(tmp_path, entry)
    text = str(failure.value)
    assert [word for word in said if word not in text] == []
    assert "hidden" not in text


def test_an_engine_is_written_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="前面已经写过"):
        start(tmp_path, 'engine = "espeak"\n', 'engine = "espeak"\n')


@pytest.mark.parametrize(
    ("speech", "said"),
    [
        ('dialects = ["mandarin"]', "dialects"),
        ('lexicon = "none.txt"', "lexicon"),
        ("engines = 3", "engines"),
        ("tempo = 3", "tempo"),
    ],
)
def test_a_wrong_key_of_the_section_is_named(tmp_path: Path, speech: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        start(tmp_path, speech=speech)


def test_an_unset_secret_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NLS_TOKEN"):
        start(tmp_path, f'{NLS}token = {{ env = "NLS_TOKEN" }}\n')
