"""The fast link fed by hand: whatever the pieces, the same messages."""

from __future__ import annotations

import asyncio
import itertools

import mqtt5
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collector.mqtt import mqtt5_link
from collector.mqtt.inbox import Inbox
from collector.mqtt.linger import Window
from collector.mqtt.mqtt5_link import Mqtt5Link
from collector.settings import Broker
from collector.source import Message

CONNACK = mqtt5.ConnAckPacket(receive_max=20, server_keep_alive=7).write()


class Wire(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sends: list[bytes] = []
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sends.append(bytes(data))

    def is_closing(self) -> bool:
        return self.ended

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True


def fed(pieces: list[bytes], maximum_packet: int = 1 << 20) -> tuple[Mqtt5Link, Wire]:
    """A link that received these pieces, as an event loop would give them."""

    async def play() -> tuple[Mqtt5Link, Wire]:
        broker = Broker("h", 1, maximum_packet=maximum_packet)
        link = Mqtt5Link(broker, 3, Inbox(Window(1000, 0.0), lambda: 0), asyncio.Event())
        wire = Wire()
        link.connection_made(wire)
        for piece in pieces:
            at = 0
            while at < len(piece) and not link.ended:
                room = link.get_buffer(-1)
                assert len(room) > 0
                part = piece[at : at + len(room)]
                room[: len(part)] = part
                link.buffer_updated(len(part))
                at += len(part)
        return link, wire

    return asyncio.run(play())


def publish(number: int, payload: bytes, qos: int = 1, again: bool = False) -> bytes:
    return mqtt5.PublishPacket(
        f"a/{number}",
        payload,
        qos=mqtt5.QoS.AT_LEAST_ONCE if qos else mqtt5.QoS.AT_MOST_ONCE,
        packet_id=number if qos else None,
        duplicate=again,
        user_properties=[("k", "v")] if number % 2 else [],
    ).write()


sent = st.lists(
    st.tuples(st.integers(1, 65535), st.binary(max_size=400), st.integers(0, 1)), max_size=12
)


@hypothesis_settings(deadline=None)
@given(sent, st.data())
def test_any_pieces_give_the_same_messages(sent: list[tuple[int, bytes, int]], data: st.DataObject):
    stream = CONNACK + b"".join(publish(*one) for one in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mqtt5_link, "_PIECE", data.draw(st.integers(5, 200)))
        link, _ = fed([stream[a:b] for a, b in itertools.pairwise(edges)])

    assert link.inbox.pending == [
        Message(3, number if qos else 0, qos, f"a/{number}", payload, at + 1)
        for at, (number, payload, qos) in enumerate(sent)
    ]
    assert link.ended is None
    assert link.inbox.received == len(sent)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@hypothesis_settings(deadline=None)
@given(st.booleans(), st.lists(st.binary(max_size=100), max_size=5))
def test_garbage_ends_the_link_or_waits_for_more(greeted: bool, pieces: list[bytes]):
    link, _ = fed([CONNACK] * greeted + pieces, maximum_packet=100)

    assert link.ended is None or link.problem


def test_a_batch_is_acknowledged_in_one_send_and_only_what_may_be():
    link, wire = fed([CONNACK + publish(1, b"") + publish(258, b"") + publish(9, b"", qos=0)])
    earlier = Message(2, 77, 1, "a", b"", 0)

    link.acknowledge([earlier, *link.inbox.pending])

    assert wire.sends == [bytes.fromhex("40020001 40020102")]


def test_what_the_broker_says_of_itself_is_kept():
    link, _ = fed([CONNACK])

    assert link.granted == (20, 7 * 86400, None, 2, True)
    assert link.keepalive_s == 7.0


def test_messages_sent_again_are_counted_and_come_like_others():
    link, _ = fed([CONNACK + publish(1, b"x") + publish(2, b"y", again=True)])

    assert [m.payload for m in link.inbox.pending] == [b"x", b"y"]
    assert link.inbox.redelivered == 1


def test_messages_before_something_malformed_are_kept():
    link, wire = fed([CONNACK + publish(1, b"x") + b"\x00\x00"])

    assert [m.payload for m in link.inbox.pending] == [b"x"]
    assert link.inbox.received == 1
    assert link.problem.startswith("the broker sent a malformed packet")
    assert wire.sends == [bytes.fromhex("e00181")]
    assert wire.ended


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (publish(1, b"x"), "the broker sent something else than CONNACK"),
        (CONNACK + CONNACK, "the broker sent ConnAckPacket out of place"),
        (CONNACK + bytes.fromhex("c000"), "the broker sent PingReqPacket out of place"),
        (CONNACK + bytes.fromhex("32060001610000 00"), "the broker sent a packet identifier of 0"),
        (
            CONNACK + bytes.fromhex("e0018b"),
            "the broker ended the connection: Server shutting down",
        ),
        (
            CONNACK + bytes.fromhex("e0018e32ffffff7f"),
            "the broker ended the connection: Session taken over",
        ),
    ],
)
def test_what_no_broker_may_send_is_told(stream: bytes, problem: str):
    assert fed([stream])[0].problem == problem


def test_a_large_packet_takes_its_room_and_gives_it_back():
    link, _ = fed([CONNACK + publish(1, b"x" * 600_000), publish(2, b"y")])

    assert [len(m.payload) for m in link.inbox.pending] == [600_000, 1]
    assert len(link.get_buffer(-1)) == 1 << 18
