"""Reception times, and what waits to be taken."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from collector.mqtt.inbox import Inbox, ReceptionClock
from collector.mqtt.linger import Window
from collector.source import Message

SECOND = 1_000_000


def message(number: int) -> Message:
    return Message(1, number, 1, "a", b"", number)


def test_messages_in_one_breath_have_times_of_their_own():
    clock = ReceptionClock(lambda: 5000)
    clock.used_until(clock.now() + 3)  # 5001, 5002, 5003

    assert clock.now() == 5003


def test_a_clock_stepped_back_by_more_than_a_second_is_followed():
    now = [10 * SECOND]
    clock = ReceptionClock(lambda: now[0])
    clock.used_until(clock.now() + 1)
    now[0] = 9 * SECOND + 1
    assert clock.now() == 10 * SECOND + 1  # one second is still one breath
    now[0] = 9 * SECOND

    assert clock.now() == 9 * SECOND


def test_a_clock_stepped_forward_is_followed_and_leaves_no_trace():
    now = [10 * SECOND]
    clock = ReceptionClock(lambda: now[0])
    clock.used_until(clock.now() + 1)
    now[0] = 3600 * SECOND
    clock.used_until(clock.now() + 1)
    now[0] = 11 * SECOND

    assert clock.now() == 11 * SECOND


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 50)), max_size=30))
def test_times_never_repeat_while_the_clock_does_not_go_back(steps: list[tuple[int, int]]):
    now = [SECOND]
    clock = ReceptionClock(lambda: now[0])
    given_out: list[int] = []
    for forward, count in steps:
        now[0] += forward
        first = clock.now() + 1
        given_out += range(first, first + count)
        clock.used_until(given_out[-1])

    assert len(set(given_out)) == len(given_out)
    assert given_out == sorted(given_out)


async def test_a_batch_has_at_most_so_many_and_the_rest_waits():
    inbox = Inbox(Window(1000, 0.0))
    inbox.pending += [message(n) for n in range(5)]
    inbox.added(5, 5)

    assert [m.mid for m in await inbox.take(3)] == [0, 1, 2]
    assert [m.mid for m in await inbox.take(3)] == [3, 4]
    assert (inbox.received, inbox.handed_out, inbox.idle) == (5, 5, False)


async def test_a_closed_inbox_gives_out_what_it_has_and_then_nothing():
    inbox = Inbox(Window(1000, 60.0))
    inbox.pending.append(message(1))
    inbox.added(1, 1)
    inbox.close()

    async with asyncio.timeout(1):
        assert [m.mid for m in await inbox.take(3)] == [1]
        assert await inbox.take(3) == []


async def test_a_few_very_large_messages_fill_it_as_many_small_ones_do():
    inbox = Inbox(Window(1000, 0.0))
    large = Message(1, 1, 1, "a", bytes(1_000_000), 1)
    for number in range(33):
        inbox.pending.append(large)
        inbox.added(1, number)
    assert (inbox.full, inbox.roomy) == (True, False)
    await inbox.take(10)
    assert (inbox.full, inbox.roomy) == (False, False)
    await inbox.take(16)

    assert inbox.roomy
