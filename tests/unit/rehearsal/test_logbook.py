from pathlib import Path

from broadcaster.rehearsal.logbook import Evidenced, Joined, Logbook, Lost, SignedIn, Taken, TakenRow, read_logbook
from broadcaster.rehearsal.oracle import Overtaking, read_report


def taken(at: float, *rows: tuple[int, int, int, str]) -> Taken:
    return Taken(
        at,
        "a",
        1,
        [(alert, ordinal, attempt, to, 0, 9e9, 5, f"m{at}{ordinal}") for alert, ordinal, attempt, to in rows],
    )


def write(path: Path, *records: Taken | Lost | Evidenced | Joined) -> None:
    book = Logbook(path, texts_kept=10)
    book.write(SignedIn(0.0, "a", "sms", 1), *records)
    book.close()


def test_a_torn_last_record_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, taken(1.0, (1, 1, 1, "a")), taken(2.0, (1, 2, 1, "b")))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert len(list(read_logbook(path))) < 3
    path.write_bytes(whole)
    assert len(list(read_logbook(path))) == 3


def test_a_second_process_goes_on_in_the_same_book(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, taken(1.0, (1, 1, 1, "a")))
    write(path, taken(2.0, (1, 1, 2, "a"), (1, 2, 1, "b")))
    report = read_report(path)
    assert (report.accepted, report.distinct, report.duplicates) == (3, 2, 1)


def test_the_same_ordinal_for_another_address_is_no_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, taken(1.0, (1, 1, 1, "a"), (1, 1, 2, "b"), (2, 1, 1, "a")))
    assert read_report(path).duplicates == 0


def test_an_alert_after_its_successor_is_an_overtaking(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, taken(1.0, (1, 1, 1, "a"), (3, 1, 1, "a"), (2, 2, 1, "b"), (1, 2, 2, "b"), (9, 1, 1, "a")))
    report = read_report(path)
    assert report.overtakings({2: 1, 3: 2}) == [Overtaking("b", "sms", 1, 2)]
    assert report.overtakings({}) == []
    assert [one.alert for one in report.sequences()["a"]] == [1, 3, 9]


def test_the_peak_rate_is_of_any_second(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(
        path, taken(1.0, (1, 1, 1, "a")), taken(1.9, *[(1, n, 1, "a") for n in range(2, 6)]), taken(2.5, (1, 9, 1, "a"))
    )
    assert read_report(path).peak_rates() == {"a": 5}


def test_evidence_and_losses_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(
        path,
        Evidenced(2.0, "a", [("m1", 1, 1, 1, True, ""), ("m2", 1, 2, 1, False, "空号"), ("x1", 0, 0, 0, True, "")]),
        Lost(3.0, "a", 1, 17, "gone"),
    )
    report = read_report(path)
    assert (report.delivered, report.failed, report.in_flight_lost) == ({"m1"}, {"m2": "空号"}, 17)


def unnamed(address: str, text: int, ref: str) -> TakenRow:
    return 0, 0, 0, address, 0, 9e9, text, ref


def test_messages_without_our_key_are_named_by_the_gateways_ids_or_by_their_text(tmp_path: Path) -> None:
    path = tmp_path / "log"
    rows = [
        unnamed("a", 5, "000000000000000a"),
        unnamed("b", 5, "000000000000000f"),  # in three parts, of which the client knows the first
        unnamed("a", 5, "0000000000000010"),  # again: its answer got lost
        unnamed("c", 5, "0000000000000011"),  # nobody knows it
    ]
    write(path, Joined([("000000000000000f", 3)]), Taken(1.0, "a", 1, rows))
    report = read_report(path)
    assert report.unnamed == 4
    report.name({"000000000000000a": (1, 7, 1), "000000000000000d": (1, 8, 1)})
    assert [(one.alert, one.ordinal, one.attempt) for one in report.taken] == [
        (1, 7, 1),
        (1, 8, 1),
        (1, 7, 0),
        (0, 0, 0),
    ]
    assert (report.unnamed, report.duplicates) == (1, 1)


def test_evidence_without_our_key_is_about_what_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "log"
    early = Evidenced(1.0, "a", [("000000000000000a", 0, 0, 0, True, ""), ("000000000000000b", 0, 0, 0, True, "")])
    write(path, early, Taken(2.0, "a", 1, [unnamed("a", 5, "000000000000000a")]))
    assert read_report(path).delivered == {"000000000000000a"}, "the other is a stray"
