"""The stored form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from broadcaster.alerts.alert import Alert
from broadcaster.alerts.document import from_document, to_document
from broadcaster.errors import InputError
from tests.harness.alerts import alerts, typhoon


@given(alerts)
def test_what_is_stored_reads_back_to_the_same_alert(alert: Alert) -> None:
    assert from_document(json.loads(json.dumps(to_document(alert)))) == alert


def test_a_damaged_document_says_so() -> None:
    with pytest.raises(InputError, match="无法读出"):
        from_document({**to_document(typhoon()), "colour": "pink"})
