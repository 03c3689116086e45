"""The speech services 阿里云智能语音交互 and 讯飞 as their documents describe them, in a process of their own.

`python -m tests.harness.speech_cloud [CHAIN KEY]` prints the ports that it listens on, plain and TLS. It shares no
line with the engines: it verifies tokens, signatures and clocks by itself, "speaks" a tone of 100 ms for each
character, and behaves as it is told to.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
import re
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

from aiohttp import WSMsgType, web

from tests.harness import aliyun_cloud
from tests.harness.certificates import Certificates

APP_KEY = "nls-app-key"
KEY_ID, SECRET = aliyun_cloud.KEY_ID, aliyun_cloud.SECRET
TOKEN = "a-token-given-by-hand"
APP_ID, API_KEY, API_SECRET = "5f0a1b2c", "xfyun-api-key", "xfyun-api-secret-of-thirty-two-ch"
RATE = 16_000
PER_CHARACTER = 0.1
WINDOW = 300
_AUTHORIZATION = re.compile(
    r'api_key="(.+?)", algorithm="hmac-sha256", headers="host date request-line", signature="(.+?)"'
)


@cache
def _character(amplitude: int) -> bytes:
    """100 ms of 440 Hz: whole waves, so that one goes on where the other ended."""
    count = round(PER_CHARACTER * RATE)
    wave = (round(amplitude * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(count))
    return struct.pack(f"<{count}h", *wave)


def tone(text: str) -> bytes:
    """What is spoken: `PER_CHARACTER` s of a sine for each character, each a little louder or softer than others."""
    return b"".join(_character(5000 + 100 * (ord(character) % 17)) for character in text)


class SpeechCloud:
    def __init__(self) -> None:
        self.mood = "willing"
        self.heard: list[dict[str, Any]] = []
        self.tokens = {TOKEN}
        self.life = 86_400.0
        self.skew = 0.0

    # 阿里云

    async def create_token(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        cloud = aliyun_cloud.AliyunCloud()
        codes = [code for code in cloud.faults(request, body) if code != "InvalidVersion"]
        action, version = request.headers.get("x-acs-action"), request.headers.get("x-acs-version")
        if codes or (action, version) != ("CreateToken", "2019-02-28"):
            return web.json_response({"Code": codes[0] if codes else "InvalidAction", "Message": "no"}, status=400)
        token = f"made-{len(self.tokens)}"
        self.tokens.add(token)
        self.heard.append({"token": token})
        end = int(time.time() + self.life)
        return web.json_response({"RequestId": "1", "Token": {"UserId": "1", "Id": token, "ExpireTime": end}})

    async def nls(self, request: web.Request) -> web.StreamResponse:
        said = await request.json()
        refusal = self.refusal(request, said)
        self.heard.append({"text": said["text"], "voice": said["voice"], "refused": refusal})
        if self.mood == "silent":
            await asyncio.sleep(3600)
        if self.mood == "cutting":
            return await self.cut(request)
        if self.mood == "babbling":
            return web.Response(body=b"<html>", content_type="text/html")
        if self.mood == "empty":
            return web.Response(body=b"", content_type="audio/mpeg")
        if self.mood == "elsewhere":
            raise web.HTTPFound("http://127.0.0.1:9/")
        if refusal:
            words = f"Gateway:ACCESS_DENIED:The token '{request.headers.get('X-NLS-Token')}' is invalid!"
            answer = {"task_id": "c541", "result": "", "status": refusal, "message": words}
            return web.json_response(answer, status=500 if refusal >= 50_000_000 else 400)
        return web.Response(body=tone(said["text"]), content_type="audio/mpeg")

    def refusal(self, request: web.Request, said: dict[str, Any]) -> int:
        if self.mood.isdigit():
            return int(self.mood)
        if request.headers.get("X-NLS-Token") not in self.tokens:
            return 40000001
        if said["appkey"] != APP_KEY:
            return 40020105
        right = len(said["text"]) <= 300 and said["format"] == "pcm" and said["sample_rate"] == RATE
        return 0 if right else 40000003

    async def cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(tone("一"))
        assert request.transport is not None
        request.transport.abort()
        return response

    # 讯飞

    async def xfyun(self, request: web.Request) -> web.StreamResponse:
        status = self.unsigned(request)
        if status:
            self.heard.append({"handshake": status})
            return web.json_response({"message": "HMAC signature does not match"}, status=status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        said = json.loads(message.data)
        text = base64.b64decode(said["data"]["text"]).decode()
        self.heard.append({"text": text, "voice": said["business"]["vcn"]})
        code = self.objection(said, text)
        if code:
            await socket.send_str(json.dumps({"code": code, "message": "no", "sid": "tts1"}))
        elif self.mood == "silent":
            await asyncio.sleep(3600)
        elif self.mood == "babbling":
            await socket.send_str("[" * 10_000)
        else:
            await self.say(socket, tone(text))
        await socket.close()
        return socket

    async def say(self, socket: web.WebSocketResponse, samples: bytes) -> None:
        pieces = [samples[start : start + 20_000] for start in range(0, len(samples), 20_000)]
        for number, piece in enumerate(pieces, start=1):
            last = number == len(pieces)
            if last and self.mood == "cutting":
                return
            data = {"audio": base64.b64encode(piece).decode(), "status": 2 if last else 1, "ced": "9"}
            if self.mood == "garbled":
                data["audio"] = "%%%"
            await socket.send_str(json.dumps({"code": 0, "message": "success", "sid": "tts1", "data": data}))

    def unsigned(self, request: web.Request) -> int:
        """The HTTP status for a signature that is not good, 0 for one that is."""
        query = request.query
        try:
            shown = _AUTHORIZATION.fullmatch(base64.b64decode(query["authorization"]).decode())
            at = parsedate_to_datetime(query["date"]).timestamp()
        except (KeyError, ValueError):
            return 401
        if shown is None or shown[1] != API_KEY:
            return 401
        signed = f"host: {query['host']}\ndate: {query['date']}\nGET {request.path} HTTP/1.1"
        mac = base64.b64encode(hmac.digest(API_SECRET.encode(), signed.encode(), hashlib.sha256)).decode()
        good = hmac.compare_digest(mac, shown[2]) and query["host"] == request.url.host
        return 0 if good and abs(time.time() + self.skew - at) <= WINDOW else 403

    def objection(self, said: dict[str, Any], text: str) -> int:
        if self.mood.isdigit():
            return int(self.mood)
        if said["common"]["app_id"] != APP_ID:
            return 10313
        if len(text.encode()) >= 8000:
            return 10109
        business = said["business"]
        right = business["aue"] == "raw" and business["auf"] == f"audio/L16;rate={RATE}" and business["tte"] == "UTF8"
        return 0 if right and said["data"]["status"] == 2 else 10163

    # the tests' own

    async def direct(self, request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            setattr(self, name, set(value) if name == "tokens" else value)
        return web.json_response(self.heard)


async def main(chain: str = "", key: str = "") -> None:
    cloud = SpeechCloud()
    application = web.Application()
    application.router.add_post("/", cloud.create_token)
    application.router.add_post("/stream/v1/tts", cloud.nls)
    application.router.add_get("/v2/tts", cloud.xfyun)
    application.router.add_post("/direct", cloud.direct)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    sites = [web.TCPSite(runner, "127.0.0.1", 0)]
    if chain:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(chain, key)
        sites.append(web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls))
    for site in sites:
        await site.start()
    ports = [address[1] for address in runner.addresses]
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)  # until the test has gone


class SpeechPeer:
    """The process, seen from a test."""

    def __init__(self, ports: list[int]) -> None:
        self.port = ports[0]
        self.tls_port = ports[-1]

    def direct(self, **values: object) -> list[dict[str, Any]]:
        """Set what it is told (mood, tokens, life, skew, heard); what it has heard so far."""
        body = json.dumps(values).encode()
        request = Request(f"http://127.0.0.1:{self.port}/direct", data=body, method="POST")
        with urlopen(request, timeout=30) as answer:
            heard: list[dict[str, Any]] = json.load(answer)
        return heard


@contextmanager
def speech_peer(certificates: Certificates | None = None) -> Iterator[SpeechPeer]:
    """The running peer."""
    command = [sys.executable, "-m", "tests.harness.speech_cloud", *_paths(certificates)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield SpeechPeer(json.loads(process.stdout.readline()))
    finally:
        process.communicate()


def _paths(certificates: Certificates | None) -> list[str]:
    return [str(certificates.chain), str(certificates.key)] if certificates else []


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
