"""A lower emergency broadcast platform, whoever is connected to it: what it plays, and its calls upwards."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from itertools import count

from broadcaster.recent import Recent
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fronts import ebd_papers as papers
from broadcaster.rehearsal.fronts.air import PLAYED, PLAYING, Air, Broadcast, End
from broadcaster.rehearsal.fronts.ebd_papers import Parcel, text, written
from broadcaster.rehearsal.fronts.ebd_seals import Seals
from broadcaster.rehearsal.fronts.posting import Poster
from broadcaster.rehearsal.fronts.rounds import Rounds
from broadcaster.rehearsal.outbox import Post, ReceiptPost
from broadcaster.rehearsal.script import EbdFront as Settings

AT_ONCE = 8
"""Calls that are under way at the same time."""

REPORTS_KEPT = 500
"""Reports that nobody has taken yet and that need not be made anew: a signature takes its time."""

SEPARATOR = "/"
STATES = {"2": "播发中", "3": "播发成功", "4": "播发失败", "5": "播发取消"}
NOBODYS = "200001010001"
"""The day and number of a broadcast that never was."""


class EbdPlatform:
    """`code` is its EBRID."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.code = settings.code
        self.older = settings.profile == "2018"
        self.air = Air()
        self.seals = Seals(
            int(settings.key, 16), settings.serial, settings.clients, self.older, timed=settings.utc_signed
        )
        self._numbers = count(int(time.time() * 1000) % 50_000_000)
        self._addresses: dict[str, str] = {}
        self._accounts: dict[str, Account] = {}
        self._rounds = Rounds(self._bring, by_broadcast)
        self._poster = Poster(AT_ONCE)
        self._reports: Recent[tuple[str, tuple[str, ...]], Parcel] = Recent(REPORTS_KEPT)
        self._hearts: dict[str, asyncio.Task[None]] = {}

    def welcome(self, account: Account) -> None:
        """Somebody has come; call upwards from now on."""
        self._accounts[account.name] = account
        if self._address(account.name):
            self._serve(account)

    def call_back(self, account: str, address: str) -> None:
        """Bring what this account is owed there from now on; "" is nowhere: it wants none."""
        self._addresses[account] = address
        if account in self._accounts:
            self._serve(self._accounts[account])

    def says(self, kind: str, body: str, to: str, related: str = "", forged: bool = False) -> Parcel:
        """A signed document of this platform's."""
        now = time.time()
        heartbeat = kind == "ConnectionCheck"
        day = written(now)[:10].replace("-", "")
        ebdid = f"01{self.code}{'0' * 16}" if heartbeat else f"10{self.code}{day}{next(self._numbers) % 10**8:08d}"
        answers = f"<RelatedEBD><EBDID>{related}</EBDID></RelatedEBD>" if related else ""
        document = (
            '<?xml version="1.0" encoding="UTF-8"?><EBD xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f"<EBDVersion>{'1.0' if self.older else '1'}</EBDVersion><EBDID>{ebdid}</EBDID><EBDType>{kind}</EBDType>"
            f"<SRC><EBRID>{self.code}</EBRID></SRC><DEST><EBRID>{to}</EBRID></DEST><EBDTime>{written(now)}</EBDTime>"
            f"{answers}<{kind}>{body}</{kind}></EBD>"
        ).encode()
        return Parcel(ebdid, document, self.seals.make(ebdid, document + b" " if forged else document))

    def report(self, ebmid: str, broadcast: Broadcast | None, ends: Mapping[str, End]) -> str:
        """An EBMStateResponse about the terminals in `ends`."""
        now = written(time.time())
        codes = {end.code for end in ends.values()}
        state = PLAYED if PLAYED in codes else min(codes, default=PLAYING)
        share, total = 1.0, len(ends)
        if broadcast is not None:
            state, share, total = broadcast.state(), broadcast.share(), len(broadcast.terminals)
        playing = "".join(
            f"<EBRBS><RptTime>{now}</RptTime><BrdSysInfo>{terminal}</BrdSysInfo>"
            f"<StartTime>{written(broadcast.began if broadcast is not None else end.at)}</StartTime>"
            f"<EndTime>{written(end.at)}</EndTime><FileURL>http://rehearsal.invalid/{ebmid}.mp3</FileURL>"
            f"<BrdStateCode>{end.code}</BrdStateCode>{text('BrdStateDesc', end.words)}</EBRBS>"
            for terminal, end in ends.items()
        )
        item = f"<ResBrdItem>{self._resource('EBRPS')}{self._resource('EBRAS')}{playing}</ResBrdItem>" if ends else ""
        return (
            f"<RptTime>{now}</RptTime><EBM><EBMID>{ebmid}</EBMID></EBM><BrdStateCode>{state}</BrdStateCode>"
            f"<BrdStateDesc>{STATES[state]}</BrdStateDesc><Coverage><CoverageRate>{share:.2f}</CoverageRate>"
            f"<AreaCode>{self._area()}</AreaCode><ResBrdStat>1,1,1,{total}</ResBrdStat></Coverage>"
            f"<ResBrdInfo>{item}</ResBrdInfo>"
        )

    async def stop(self) -> None:
        self._rounds.stop()
        for heart in self._hearts.values():
            heart.cancel()
        await self._poster.stop()

    def _address(self, account: str) -> str:
        return self._addresses.get(account, self.settings.reports)

    def _serve(self, account: Account) -> None:
        self._rounds.serve(account)
        if self.settings.heartbeat and account.name not in self._hearts:
            self._hearts[account.name] = asyncio.create_task(self._beat(account))

    def _area(self) -> str:
        return self.code[4:16] if self.older else self.code[1:13]

    def _resource(self, name: str) -> str:
        return f"<{name}><EBRID>{self.code}</EBRID></{name}>"

    async def _beat(self, account: Account) -> None:
        """Signs of life upwards."""
        while True:
            body = text("RptTime", written(time.time()))
            await self._call(account, self.says("ConnectionCheck", body, account.name))
            await asyncio.sleep(self.settings.heartbeat)

    async def _bring(self, account: Account, post: Post) -> bool:
        """Whether the client has taken the report, or is called no more. What people say does not travel this way."""
        if not isinstance(post, ReceiptPost) or not self._address(account.name):
            return True
        what = account.name, tuple(row[0] for row in post.rows)
        if what not in self._reports:  # whoever does not take it is brought the same again
            self._reports[what] = self._reported(account, post)
        taken = await self._call(account, self._reports[what])
        if taken:
            self._reports.pop(what, None)
        return taken

    def _reported(self, account: Account, post: ReceiptPost) -> Parcel:
        ebmid, _ = named(account, post.rows[0])
        ends = {
            terminal: self.air.end(account.name, ebmid, terminal, row[4], row[5])
            for row in post.rows
            for _, terminal in (named(account, row),)
        }
        body = self.report(ebmid, self.air.find(account.name, ebmid), ends)
        return self.says("EBMStateResponse", body, account.name)

    async def _call(self, account: Account, parcel: Parcel) -> bool:
        boundary = "----rehearsal"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="EBDT_{parcel.ebdid}.tar"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        data = head.encode() + papers.packed(parcel) + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = await self._poster.post(self._address(account.name), data, headers)
        if answer is None:
            return False
        try:
            back = papers.unpacked(answer)
            self.seals.check(back.document, back.seal)
            paper = papers.read(back, self.older)
            good = paper.related == parcel.ebdid and paper.body.findtext("ResultCode") in ("0", "1")
        except ValueError:
            good = False
        if not good:
            account.protocol_error()
        return True


def named(account: Account, row: Proof) -> tuple[str, str]:
    """The broadcast and the terminal of a receipt; of a stray one, something like them."""
    ebmid, separator, terminal = row[0].partition(SEPARATOR)
    return (ebmid, terminal) if separator else (f"{account.name}{NOBODYS}", account.name)


def by_broadcast(post: Post) -> list[Post]:
    """A post cut by broadcasts."""
    if not isinstance(post, ReceiptPost):
        return [post]
    rows: dict[str, list[Proof]] = defaultdict(list)
    for row in post.rows:
        rows[row[0].partition(SEPARATOR)[0]].append(row)
    return [ReceiptPost(post.at, part) for part in rows.values()]
