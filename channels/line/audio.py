"""Audio files on a rehearsal line: uploaded once per connection, before the first message that needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from broadcaster.ports import Audio, Envelope, Outcome, Rejected
from channels.line.link import Link
from channels.line.wire import CHUNK, Upload


class Uploads:
    """What one connection has uploaded."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._files: dict[str, asyncio.Task[str]] = {}

    async def bring(self, batch: Sequence[Envelope]) -> tuple[Sequence[Envelope], Sequence[Outcome]]:
        """Upload the batch's audio; the envelopes that can go, and rejections of those whose file cannot be read."""
        audios = {audio.sha256: audio for envelope in batch if (audio := envelope.message.audio) is not None}
        if not audios:
            return batch, ()
        problems = {sha256: await self._once(audio) for sha256, audio in audios.items()}
        if not any(problems.values()):
            return batch, ()
        ready: list[Envelope] = []
        refused: list[Outcome] = []
        for envelope in batch:
            audio = envelope.message.audio
            problem = problems[audio.sha256] if audio is not None else ""
            if problem:
                refused.append(Rejected(envelope.key, problem))
            else:
                ready.append(envelope)
        return ready, refused

    async def _once(self, audio: Audio) -> str:
        upload = self._files.get(audio.sha256)
        if upload is None:
            upload = self._files[audio.sha256] = asyncio.create_task(self._upload(audio))
        return await asyncio.shield(upload)

    async def _upload(self, audio: Audio) -> str:
        """Why the file could not be uploaded, or ""."""
        try:
            content = await asyncio.to_thread(audio.path.read_bytes)
        except OSError as problem:
            return f"audio file cannot be read: {problem.strerror}"
        for start in range(0, max(1, len(content)), CHUNK):
            await self._link.wait_until_writable()
            piece = content[start : start + CHUNK]
            last = start + CHUNK >= len(content)
            self._link.write(Upload(audio.sha256, audio.media_type, audio.seconds, piece, last))
        return ""
