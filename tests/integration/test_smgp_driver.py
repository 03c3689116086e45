"""SMGP's own: how reports write the message's id."""

from __future__ import annotations

from broadcaster.ports import DeliveryKey
from tests.contract.carrier_peer import SMGP
from tests.harness.smgp_gateway import SmgpGateway
from tests.integration.test_carrier_drivers import LONG, connected, envelope, outcomes


async def test_reports_that_write_the_id_in_hex_are_about_the_same_message() -> None:
    async with SmgpGateway(hex_ids=True) as gateway, connected(SMGP, gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, LONG), envelope(2, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) == 2, 60)
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}
        assert gateway.taken[-1].ref in inbox.refs()
