"""What is brought to our door: understood, proven, answered in the protocol's words, harmless when it is forged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import CallbackResult, Evidence, GatewaySettings, OrderStanding, OrderState
from channels.loudspeaker.ebd import ebd, package
from channels.loudspeaker.ebd.documents import (
    EBM,
    Body,
    ConnectionCheck,
    EBDResponse,
    EBMStateRequest,
    EBMStateResponse,
    EBRDTState,
    MsgBasicInfo,
    OMDRequest,
    Standing,
    WhichEBM,
)
from channels.loudspeaker.ebd.door import uploaded
from channels.loudspeaker.ebd.plugin import EbdPlugin
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.sm2 import PublicKey
from tests.harness.ebd_keys import OURS, OURS_SERIAL, THEIRS, public
from tests.harness.ebd_platform import (
    EBMID,
    FORM,
    NOW,
    PROFILE,
    SOURCE,
    TERMINALS,
    gateway,
    posted,
    report,
    said,
)

A, B, C = TERMINALS[:3]
BASIC = MsgBasicInfo(
    msg_type="1", sender_name="市", send_time=NOW, event_type="11B03", severity="1", start_time=NOW, end_time=NOW
)


def bring(
    content: bytes,
    *,
    at: datetime = NOW,
    settings: GatewaySettings | None = None,
    headers: Mapping[str, str] = {"content-type": FORM},
) -> CallbackResult:
    body = posted(content) if headers.get("content-type") == FORM else content
    return EbdPlugin(lambda: at).parse(settings or gateway(), headers, {}, body)


def code(result: CallbackResult) -> str:
    """The ResultCode of our answer, which is a signed package to the peer."""
    opened = package.unpack([result.body])
    Trust({OURS_SERIAL: PublicKey.read(public(OURS))}, PROFILE).check(opened, Policy.REQUIRE)
    answer = ebd.read(opened.document, PROFILE)
    assert (result.status, result.content_type) == (200, "application/octet-stream")
    assert (answer.source.ebrid, opened.id) == (SOURCE, answer.id)
    assert answer.related
    assert isinstance(answer.body, EBDResponse)
    return answer.body.result_code


def test_a_report_is_a_receipt_for_every_terminal_that_is_over() -> None:
    result = bring(said(report({A: "3", B: "4", C: "2"}, why="功放故障")))
    played, failed = sorted(result.receipts, key=lambda one: one.ref)
    assert (played.ref, played.evidence, played.at, played.key) == (f"{EBMID}/{A}", Evidence.DELIVERED, NOW, None)
    assert (failed.ref, failed.evidence, failed.reason) == (f"{EBMID}/{B}", Evidence.FAILED, "播发失败：功放故障")
    assert code(result) == "1"


def test_a_cancelled_broadcast_is_a_failure_with_that_word() -> None:
    (receipt,) = bring(said(report({A: "5"}, state="5"))).receipts
    assert (receipt.evidence, receipt.reason[:4]) == (Evidence.FAILED, "播发取消")


def test_a_report_that_comes_again_says_the_same() -> None:
    plugin, body = EbdPlugin(lambda: NOW), posted(said(report({A: "3"})))
    first, again = (plugin.parse(gateway(), {"content-type": FORM}, {}, body) for _ in range(2))
    assert first.receipts == again.receipts
    assert code(again) == "1"


def test_reports_in_the_wrong_order_each_say_what_they_know() -> None:
    late = bring(said(report({A: "2"}, state="2"), number=1), at=NOW + timedelta(minutes=5))
    assert not late.receipts
    assert code(late) == "1"


def test_what_a_platform_says_of_a_failure_shows_nobodys_number() -> None:
    (receipt,) = bring(said(report({A: "4"}, why="联系 13800000001 张三 <a@b.cn>"))).receipts
    assert "13800000001" not in receipt.reason
    assert "a@b.cn" not in receipt.reason


def test_a_report_may_name_several_terminals_at_once_or_the_adapter_alone() -> None:
    together = report({f"{A}|{B}": "3"})
    assert {one.ref for one in bring(said(together)).receipts} == {f"{EBMID}/{A}", f"{EBMID}/{B}"}
    adapter = report({"大喇叭": "3"})
    assert len(bring(said(adapter)).receipts) == 1


def test_an_end_without_terminals_is_said_to_be_incomplete() -> None:
    result = bring(said(report({}, items=False)))
    assert (tuple(result.receipts), code(result)) == ((), "3")


def test_a_report_on_somebody_elses_broadcast_is_none_of_ours() -> None:
    result = bring(said(report({A: "3"}, ebmid=f"4{'1' * 34}")))
    assert (tuple(result.receipts), code(result)) == ((), "5")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (ConnectionCheck(rpt_time=NOW), "1"),
        (EBM(version="1", ebmid=EBMID, basic=BASIC), "1"),
        (EBMStateRequest(ebm=WhichEBM(ebmid=EBMID)), "5"),
        (OMDRequest(omd_type="EBRDTState"), "5"),
        (EBRDTState(items=(Standing(ebrid=A, state_code="3"),)), "0"),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, str) else one,
)
def test_everything_else_is_answered_with_the_truth(body: Body, wanted: str) -> None:
    result = bring(said(body))
    assert (tuple(result.receipts), code(result)) == ((), wanted)


def test_what_a_platform_above_orders_is_handed_on_and_where_nobody_takes_it_that_is_said() -> None:
    result = bring(said(EBM(version="1", ebmid=EBMID, basic=BASIC)))
    assert result.order is not None
    assert (result.order.proven, EBMID.encode() in result.order.document) == (True, True)
    assert code(result.order.untaken()) == "0"
    unsigned = bring(said(EBM(version="1", ebmid=EBMID, basic=BASIC), secret=None), settings=gateway(verify="prefer"))
    assert unsigned.order is not None
    assert not unsigned.order.proven


def test_a_platform_that_asks_is_told_how_its_order_stands_with_everything_that_receivers_ask_for() -> None:
    result = bring(said(EBMStateRequest(ebm=WhichEBM(ebmid=EBMID))))
    assert result.inquiry is not None
    assert result.inquiry.id == EBMID
    stands = OrderStanding(EBMID, OrderState.DONE, "", ("330212101",), NOW, NOW, 0.98)
    told = ebd.read(package.unpack([result.inquiry.answer(stands).body]).document, PROFILE).body
    assert isinstance(told, EBMStateResponse)
    assert told.coverage is not None
    assert told.played is not None
    (item,) = told.played.items
    assert (told.ebm.ebmid, told.brd_state_code, told.coverage.area_code) == (EBMID, "3", "330212101000")
    assert (told.coverage.coverage_rate, item.ebras and item.ebras.ebrid, item.ebrbs[0].brd_sys_info) == (
        "0.98",
        SOURCE,
        SOURCE,
    )


def test_an_unknown_kind_is_answered_as_such() -> None:
    assert code(bring(said(None, kind="EBMStreamPortRequest"))) == "5"


@pytest.mark.parametrize(
    "content",
    [
        said(report({A: "3"}), secret=None),
        said(report({A: "3"}), secret=OURS),
        said(report({A: "3"}), serial="999999999999"),
        said(report({A: "3"}), source="43302120000000103010299"),
        said(report({A: "3"}), at=NOW - timedelta(days=2)),
        said(report({A: "3"}), at=NOW + timedelta(hours=1)),
    ],
    ids=["unsigned", "forged", "unknown certificate", "somebody else", "old", "from the future"],
)
def test_who_is_not_the_peer_learns_nothing_and_proves_nothing(content: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        bring(content)


def test_a_large_document_is_not_read_before_it_is_proven() -> None:
    many = dict.fromkeys(TERMINALS, "3") | {f"5330212001000031402{number:04d}": "3" for number in range(500)}
    large = said(report(many))
    assert len(bring(large).receipts) == 520
    with pytest.raises(UnauthenticatedError):
        bring(said(report(many), secret=OURS))
    nonsense = package.pack(f"10{'1' * 39}", b"<EBD>" + b"<a/>" * 20_000 + b"</EBD>")
    with pytest.raises(UnauthenticatedError, match="签名"):
        bring(nonsense)


def test_a_changed_document_is_refused() -> None:
    good = said(report({A: "4"}))
    changed = good.replace(b"<BrdStateCode>4", b"<BrdStateCode>3")
    assert changed != good
    with pytest.raises(UnauthenticatedError):
        bring(changed)


def test_an_unsigned_sign_of_life_is_answered_and_an_unsigned_report_is_by_choice() -> None:
    assert code(bring(said(ConnectionCheck(rpt_time=NOW), secret=None))) == "1"
    for policy in ("prefer", "ignore"):
        lenient = gateway(verify=policy)
        assert bring(said(report({A: "3"}), secret=None), settings=lenient).receipts


def test_what_is_lacking_is_told_to_the_peer_alone() -> None:
    lacking = said(report({A: "3"})).replace(b"<BrdStateCode>3</BrdStateCode><BrdStateDesc>", b"<BrdStateDesc>", 1)
    with pytest.raises((UnauthenticatedError, InputError)):
        bring(lacking)
    empty = said(report({A: "3"}, state=""))
    assert code(bring(empty)) == "3"
    with pytest.raises(UnauthenticatedError):
        bring(said(report({A: "3"}, state=""), secret=OURS))


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", {"content-type": FORM}),
        (b"--frontier--\r\n", {"content-type": FORM}),
        (b"nonsense" * 100, {"content-type": "application/octet-stream"}),
        (b"x", {"content-type": "multipart/form-data"}),
        (b"", {}),
    ],
)
def test_what_is_no_package_is_refused(content: bytes, headers: Mapping[str, str]) -> None:
    with pytest.raises(InputError):
        EbdPlugin(lambda: NOW).parse(gateway(), headers, {}, content)


def test_a_package_may_come_as_a_form_in_any_place_or_as_it_is() -> None:
    content = b"\r\n--frontie\r\n\x00tar"
    before = b'--frontier\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n'
    assert uploaded(FORM, posted(content)) == content
    assert uploaded(FORM, before + posted(content)) == content
    assert uploaded('multipart/form-data; boundary="frontier"', posted(content)) == content
    assert uploaded("application/octet-stream", content) == content
    assert bring(said(report({A: "3"})), headers={"content-type": "application/octet-stream"}).receipts


def test_settings_that_change_are_followed() -> None:
    plugin = EbdPlugin(lambda: NOW)
    content = posted(said(report({A: "3"}), secret=OURS, serial=OURS_SERIAL))
    with pytest.raises(UnauthenticatedError):
        plugin.parse(gateway(), {"content-type": FORM}, {}, content)
    trusting = gateway(peer_keys={OURS_SERIAL: public(OURS)})
    assert plugin.parse(trusting, {"content-type": FORM}, {}, content).receipts
    assert THEIRS not in repr(trusting.options)
