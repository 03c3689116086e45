"""What a policy would do to an area in which nobody answers, step by step."""

from __future__ import annotations

from broadcaster.alerts.policy import ChannelStep, EscalationAction, EscalationStep, Policy
from broadcaster.capacity.forecast import Verdict
from broadcaster.capacity.planner import MEASURED
from broadcaster.capacity.simulation import Simulation, Size, simulate
from broadcaster.ports import Capabilities, GatewaySettings, Medium
from broadcaster.settings.policies import DEFAULT_POLICIES

SMS, VOICE = Medium.SMS, Medium.VOICE
GATEWAYS = (
    GatewaySettings("sms", SMS, "straw", rate=100),
    GatewaySettings("voice", VOICE, "straw", rate=10),
    GatewaySettings("drill", SMS, "straw", rate=1, rehearsal=True),
)
ASK = EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,))
ABLE = Capabilities(receipts=True, replies=True, window=1000, batch_max=100)
DESK = EscalationStep(90, EscalationAction.DUTY_DESK)


def run(
    policy: Policy, *, households: int = 1000, units: int = 5, terminals: int = 0, drill: bool = False
) -> Simulation:
    size = Size(households=households, units=units, terminals=terminals)
    return simulate(policy, size, GATEWAYS, lambda _: ABLE, rehearsal=drill, machine=MEASURED)


def told(simulation: Simulation) -> list[tuple[float, str, int]]:
    return [(round(event.seconds), event.action, event.count) for event in simulation.events]


def test_steps_of_households_and_of_units_come_in_the_order_of_time() -> None:
    policy = Policy((ChannelStep((SMS,), 60), ChannelStep((VOICE,), 300)), loudspeakers=False, units=(ASK, DESK))
    assert told(run(policy)) == [
        (0, "households", 1000),
        (0, "notify_primary", 5),
        (60, "households", 1000),
        (90, "duty_desk", 5),
        (360, "give_up", 1000),
    ]


def test_a_slow_gateway_puts_off_the_next_step_and_says_so() -> None:
    policy = Policy((ChannelStep((SMS,), 60), ChannelStep((VOICE,), 60)), loudspeakers=False, units=())
    simulation = run(policy, households=10_000)
    first, second, over = simulation.events
    assert first.channels[0].verdict is Verdict.AFTER_WAIT
    assert 100 < second.seconds < 120
    assert second.channels[0].verdict is Verdict.OVERLAPPING
    assert over.seconds == second.seconds + 180


def test_a_drill_is_reckoned_with_the_gateways_of_drills() -> None:
    policy = Policy((ChannelStep((SMS,), 60),), loudspeakers=False, units=())
    assert run(policy, drill=True).events[0].channels[0].per_second < 2
    never = run(Policy((ChannelStep((VOICE,), 60),), loudspeakers=False, units=()), drill=True)
    assert never.events[0].channels[0].verdict is Verdict.NEVER


def test_loudspeakers_play_at_once_where_the_policy_says_so() -> None:
    policy = Policy((ChannelStep((SMS,), 60),), loudspeakers=True, units=())
    assert (0, "loudspeakers", 3) in told(run(policy, terminals=3))
    assert not any(event.action == "loudspeakers" for event in run(policy, terminals=0).events)


def test_a_ladder_that_ends_without_the_desk_ends_with_a_notice() -> None:
    policy = Policy((), loudspeakers=False, units=(ASK, EscalationStep(30, EscalationAction.NOTIFY_PRIMARY, (VOICE,))))
    found = run(policy)
    assert told(found) == [(0, "notify_primary", 5), (30, "notify_primary", 5), (30, "exhausted", 5)]
    assert [event.again for event in found.events] == [False, True, False]


def test_nothing_happens_for_a_policy_without_steps_or_an_area_without_people() -> None:
    assert run(Policy((), loudspeakers=False, units=())).events == ()
    assert all(not event.count for event in run(DEFAULT_POLICIES["red"], households=0, units=0).events)
