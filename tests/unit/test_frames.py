"""PUBLISH packets taken from a buffer, and the buffer they are taken from."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mqtt.buffered import BufferedSocket
from collector.mqtt.frames import Frame, packet_end, publishes


def length(value: int) -> bytes:
    """A variable byte integer."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (128 if value else 0))
        if not value:
            return bytes(out)


def packet(frame: Frame, v5: bool, properties: bytes = b"") -> bytes:
    body = len(frame.topic).to_bytes(2, "big") + frame.topic
    if frame.qos:
        body += frame.mid.to_bytes(2, "big")
    if v5:
        body += length(len(properties)) + properties
    body += frame.payload
    return (
        bytes([0x30 | frame.again << 3 | frame.qos << 1 | frame.retain]) + length(len(body)) + body
    )


frames = st.builds(
    lambda retain, qos, mid, topic, payload, again: Frame(
        retain, qos, mid if qos else 0, topic, payload, again
    ),
    st.booleans(),
    st.integers(0, 1),
    st.integers(1, 65535),
    st.binary(min_size=1, max_size=40),
    st.binary(max_size=300),
    st.booleans(),
)


@given(st.lists(frames, max_size=6), st.booleans(), st.binary(max_size=140))
def test_every_complete_packet_is_taken(sent: list[Frame], v5: bool, properties: bytes):
    stream = b"".join(packet(frame, v5, properties) for frame in sent)

    assert publishes(b"xx" + stream, 2, v5, 99) == (sent, 2 + len(stream))


@given(st.lists(frames, min_size=1, max_size=4), st.booleans(), st.data())
def test_a_packet_cut_short_stays_where_it_is(sent: list[Frame], v5: bool, data: st.DataObject):
    whole = [packet(frame, v5) for frame in sent]
    cut = data.draw(st.integers(0, len(whole[-1]) - 1))
    before = sum(map(len, whole[:-1]))

    found, end = publishes(b"".join(whole[:-1]) + whole[-1][:cut], 0, v5, 99)

    assert (found, end) == (sent[:-1], before)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_it_fail_or_read_past_the_end(garbage: bytes, v5: bool):
    _, end = publishes(garbage, 0, v5, 99)

    assert 0 <= end <= len(garbage)


@given(frames, st.booleans(), st.data())
def test_the_length_of_a_packet_is_known_as_soon_as_it_is_complete(
    frame: Frame, v5: bool, data: st.DataObject
):
    whole = packet(frame, v5)
    known = 2 + (len(whole) > 129)
    seen = data.draw(st.integers(1, len(whole)))

    assert packet_end(b"x" + whole[:seen], 1) == (1 + len(whole) if seen >= known else None)


def test_a_message_at_qos_2_is_left_to_who_can_answer_it():
    assert publishes(bytes.fromhex("3406 0001 61 0007 21".replace(" ", "")), 0, False, 9) == ([], 0)


def test_another_packet_stops_it():
    stream = (
        packet(Frame(False, 1, 7, b"a", b"1"), False)
        + b"\xd0\x00"
        + packet(Frame(False, 0, 0, b"b", b"2"), False)
    )

    assert publishes(stream, 0, False, 99) == ([Frame(False, 1, 7, b"a", b"1")], 8)


@pytest.mark.parametrize(
    "malformed",
    [
        "3003 0005 61",  # the topic is longer than the packet
        "3203 0001 61",  # no room for a packet identifier
        "3606 0001 61 0001 00",  # QoS 3 does not exist
        "3205 0001 61 0000",  # a packet identifier of 0 does not exist
        "30ffffffff7f 0001 61",  # a length of five bytes
    ],
)
def test_a_malformed_packet_is_left_for_the_client_to_complain_of(malformed: str):
    assert publishes(bytes.fromhex(malformed.replace(" ", "")), 0, False, 99) == ([], 0)


@given(
    st.binary(min_size=1, max_size=2000),
    st.lists(st.tuples(st.sampled_from(["recv", "peek"]), st.integers(1, 50)), max_size=60),
)
def test_reading_in_any_way_gives_each_byte_once(stream: bytes, ways: list[tuple[str, int]]):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        buffered = BufferedSocket(ours)
        got, sent = b"", 0
        for way, size in ways:
            theirs.sendall(stream[sent : sent + size])
            sent = min(sent + size, len(stream))
            if way == "recv":
                try:
                    got += buffered.recv(size)
                except BlockingIOError:
                    assert buffered.drained
            else:
                data, at = buffered.peek()
                end = min(at + size // 2, len(data))
                got += data[at:end]
                buffered.skip_to(end)
        theirs.shutdown(socket.SHUT_WR)
        while True:
            try:
                piece = buffered.recv(100)
            except BlockingIOError:
                continue
            if not piece:
                break
            got += piece

    assert got == stream[:sent]


def test_what_the_socket_does_not_take_now_is_sent_later():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        buffered = BufferedSocket(ours)
        sent = bytes(range(256)) * 20_000
        with buffered.corked():
            assert buffered.send(sent[:1000]) == 1000
            buffered.send(sent[1000:])
        assert buffered.unsent

        got = b""
        while len(got) < len(sent):
            got += theirs.recv(1 << 20)
            buffered.flush()

    assert got == sent
    assert not buffered.unsent
