"""What the platforms say to each other: the bodies of an EBD, written as the standards list their elements.

Names are the standard's own. What is a number there stays text here: others' codes are passed on, or judged where
they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.loudspeaker.ebd.shape import listed, tagged

PLAY, CANCEL = "1", "2"
"""MsgType."""

MP3 = "2"
"""AuxiliaryType."""

WAITING, PLAYED, FAILED, CANCELLED = frozenset({"0", "1", "2"}), "3", "4", "5"
"""BrdStateCode: not begun, waiting or playing; the ends."""


class Result:
    """ResultCode of an EBDResponse."""

    RECEIVED = "0"
    VALID = "1"
    UNREADABLE = "2"
    INCOMPLETE = "3"
    SIGNATURE = "4"
    OTHER = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Whatever has an EBRID; `url` where it can be called."""

    ebrid: str = tagged("EBRID", needed=True)
    url: str | None = tagged("URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaybeResource:
    """The same where some leave the code empty."""

    ebrid: str | None = tagged("EBRID")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEBD:
    """Which EBD is answered."""

    ebdid: str = tagged("EBDID", needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedInfo:
    """Which broadcast an EBM belongs to, cancels."""

    ebmid: str | None = tagged("EBMID")
    ebiid: str | None = tagged("EBIID")


@dataclass(frozen=True, slots=True, kw_only=True)
class MsgBasicInfo:
    """`send_time` is SentTime in the older dialect."""

    msg_type: str = tagged("MsgType", needed=True)
    sender_name: str = tagged("SenderName", needed=True)
    sender_code: str | None = tagged("SenderCode")
    send_time: datetime = tagged("SendTime", needed=True)
    event_type: str = tagged("EventType", needed=True)
    severity: str = tagged("Severity", needed=True)
    start_time: datetime = tagged("StartTime", needed=True)
    end_time: datetime = tagged("EndTime", needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auxiliary:
    """A file of the same package, by its name, or a stream by its address; `size` in octets."""

    auxiliary_type: str = tagged("AuxiliaryType", needed=True)
    auxiliary_desc: str = tagged("AuxiliaryDesc", needed=True)
    size: str | None = tagged("Size")
    digest: str | None = tagged("Digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class MsgContent:
    """`area_code`: 12 digits each, with commas between."""

    language_code: str = tagged("LanguageCode", needed=True)
    msg_title: str = tagged("MsgTitle", needed=True)
    msg_desc: str = tagged("MsgDesc", needed=True)
    area_code: str = tagged("AreaCode", needed=True)
    auxiliary: tuple[Auxiliary, ...] = listed("Auxiliary")
    program_num: str | None = tagged("ProgramNum")


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastSystem:
    """EBRBS of a dispatch: which system plays."""

    brd_sys_type: str | None = tagged("BrdSysType")
    brd_sys_info: str | None = tagged("BrdSysInfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Who is to broadcast in which language."""

    language_code: str | None = tagged("LanguageCode")
    ebrps: Resource | None = tagged("EBRPS")
    ebras: Resource | None = tagged("EBRAS")
    ebrbs: BroadcastSystem | None = tagged("EBRBS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBM:
    """One broadcast, or its cancellation."""

    version: str = tagged("EBMVersion", needed=True)
    ebmid: str = tagged("EBMID", needed=True)
    related: RelatedInfo | None = tagged("RelatedInfo")
    basic: MsgBasicInfo = tagged("MsgBasicInfo", needed=True)
    content: MsgContent | None = tagged("MsgContent")
    dispatch: tuple[Dispatch, ...] = listed("Dispatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBDResponse:
    """What became of an EBD at its receiver; see `Result`."""

    result_code: str = tagged("ResultCode", needed=True)
    result_desc: str | None = tagged("ResultDesc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCheck:
    """A sign of life."""

    rpt_time: datetime | None = tagged("RptTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichEBM:
    """An EBM by its id."""

    ebmid: str = tagged("EBMID", needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EBMStateRequest:
    """How far is that broadcast?"""

    ebm: WhichEBM = tagged("EBM", needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`res_brd_stat`: four counts with commas between, of platforms, stations, adapters and playing systems."""

    coverage_rate: str | None = tagged("CoverageRate")
    area_code: str | None = tagged("AreaCode")
    res_brd_stat: str | None = tagged("ResBrdStat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """EBRBS of a report: what one system played; `brd_sys_info` is a terminal's EBRID."""

    rpt_time: datetime | None = tagged("RptTime")
    brd_sys_info: str | None = tagged("BrdSysInfo")
    start_time: datetime | None = tagged("StartTime")
    end_time: datetime | None = tagged("EndTime")
    file_url: str | None = tagged("FileURL")
    brd_state_code: str | None = tagged("BrdStateCode")
    brd_state_desc: str | None = tagged("BrdStateDesc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResBrdItem:
    """The systems behind one adapter."""

    ebrps: MaybeResource | None = tagged("EBRPS")
    ebrst: MaybeResource | None = tagged("EBRST")
    ebras: MaybeResource | None = tagged("EBRAS")
    ebrbs: tuple[Playing, ...] = listed("EBRBS")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResBrdInfo:
    """All of them."""

    items: tuple[ResBrdItem, ...] = listed("ResBrdItem")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBMStateResponse:
    """How far a broadcast is, as a whole and by playing system."""

    rpt_time: datetime | None = tagged("RptTime")
    ebm: WhichEBM = tagged("EBM", needed=True)
    brd_state_code: str = tagged("BrdStateCode", needed=True)
    brd_state_desc: str | None = tagged("BrdStateDesc")
    coverage: Coverage | None = tagged("Coverage")
    played: ResBrdInfo | None = tagged("ResBrdInfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Which span of time is asked for or told; `rpt_type` Full or Incremental."""

    rpt_start_time: datetime | None = tagged("RptStartTime")
    rpt_end_time: datetime | None = tagged("RptEndTime")
    rpt_type: str | None = tagged("RptType")


@dataclass(frozen=True, slots=True, kw_only=True)
class OMDRequest:
    """Asks for data of operation; `omd_type` names the body that is wanted."""

    omd_type: str = tagged("OMDType", needed=True)
    params: Params | None = tagged("Params")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One resource of an …Info."""

    rpt_time: datetime | None = tagged("RptTime")
    rpt_type: str | None = tagged("RptType")
    related_ebrps: MaybeResource | None = tagged("RelatedEBRPS")
    related_ebrst: MaybeResource | None = tagged("RelatedEBRST")
    related_ebras: MaybeResource | None = tagged("RelatedEBRAS")
    ebrid: str = tagged("EBRID", needed=True)
    ebrname: str | None = tagged("EBRName")
    address: str | None = tagged("Address")
    contact: str | None = tagged("Contact")
    phone_number: str | None = tagged("PhoneNumber")
    longitude: str | None = tagged("Longitude")
    latitude: str | None = tagged("Latitude")
    url: str | None = tagged("URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One resource of a …State; `state_code` 1 running, 2 stopped, 3 broken, 4 mended, 5 playing."""

    rpt_time: datetime | None = tagged("RptTime")
    ebrid: str = tagged("EBRID", needed=True)
    state_code: str = tagged("StateCode", needed=True)
    state_desc: str | None = tagged("StateDesc")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRPSInfo:
    """Platforms."""

    params: Params | None = tagged("Params")
    items: tuple[Described, ...] = listed("EBRPS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRSTInfo:
    """Stations."""

    params: Params | None = tagged("Params")
    items: tuple[Described, ...] = listed("EBRST")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRASInfo:
    """Adapters."""

    params: Params | None = tagged("Params")
    items: tuple[Described, ...] = listed("EBRAS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRBSInfo:
    """Playing systems."""

    params: Params | None = tagged("Params")
    items: tuple[Described, ...] = listed("EBRBS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRDTInfo:
    """Devices and terminals."""

    params: Params | None = tagged("Params")
    items: tuple[Described, ...] = listed("EBRDT")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRPSState:
    """How platforms are."""

    items: tuple[Standing, ...] = listed("EBRPS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRASState:
    """How adapters are."""

    items: tuple[Standing, ...] = listed("EBRAS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRBSState:
    """How playing systems are."""

    items: tuple[Standing, ...] = listed("EBRBS")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBRDTState:
    """How devices and terminals are."""

    items: tuple[Standing, ...] = listed("EBRDT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Who had a broadcast made."""

    ebrps: MaybeResource | None = tagged("EBRPS")
    unit_id: str | None = tagged("UnitId")
    unit_name: str | None = tagged("UnitName")
    person_id: str | None = tagged("PersonID")
    person_name: str | None = tagged("PersonName")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitInfo:
    """All of them."""

    units: tuple[Unit, ...] = listed("Unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEBM:
    """The broadcast that a log's entry is about."""

    ebmid: str = tagged("EBMID", needed=True)
    basic: MsgBasicInfo | None = tagged("MsgBasicInfo")
    content: MsgContent | None = tagged("MsgContent")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBMBrdItem:
    """One broadcast of a log."""

    ebm: LoggedEBM = tagged("EBM", needed=True)
    units: UnitInfo | None = tagged("UnitInfo")
    brd_state_code: str | None = tagged("BrdStateCode")
    brd_state_desc: str | None = tagged("BrdStateDesc")
    coverage: Coverage | None = tagged("Coverage")
    played: ResBrdInfo | None = tagged("ResBrdInfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class EBMBrdLog:
    """What was broadcast in a span of time."""

    params: Params | None = tagged("Params")
    items: tuple[EBMBrdItem, ...] = listed("EBMBrdItem")


Body = (
    EBM
    | EBDResponse
    | ConnectionCheck
    | EBMStateRequest
    | EBMStateResponse
    | OMDRequest
    | EBMBrdLog
    | EBRPSInfo
    | EBRSTInfo
    | EBRASInfo
    | EBRBSInfo
    | EBRDTInfo
    | EBRPSState
    | EBRASState
    | EBRBSState
    | EBRDTState
)
