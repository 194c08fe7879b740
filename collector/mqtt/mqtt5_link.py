"""The fast link: the codec ``mqtt5`` on an asyncio protocol, for brokers that speak MQTT 5.

References
----------
.. [1] OASIS, MQTT Version 5.0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import mqtt5
from mqtt5 import DisconnectReasonCode as _Reason
from mqtt5 import PublishPacket, QoS

from collector.mqtt.frames import packet_end, publishes
from collector.mqtt.link import CONNECT_S, PUBCOMP, End, Link, packets
from collector.mqtt.tls import context_for
from collector.source import Granted, Message

_PIECE = 1 << 18
_CONNACK = 2
_FAILED = 128
_PLAIN_PUBLISH = 0x32  # QoS 1, not retained, not sent before


class _Malformed(Exception):
    """The broker sent what nobody may send us; the reason code is for the broker."""

    def __init__(self, what: str, code: _Reason) -> None:
        super().__init__(what)
        self.code = code


class Mqtt5Link(Link, asyncio.BufferedProtocol):
    """See :class:`collector.mqtt.link.Link`."""

    _transport: asyncio.Transport | None = None
    _mid = 0

    async def open(self) -> None:
        """See :meth:`collector.mqtt.link.Link.open`."""
        broker = self.broker
        context = await asyncio.to_thread(context_for, broker) if broker.tls else None
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self,
                    broker.host,
                    broker.port,
                    ssl=context,
                    server_hostname=broker.host if context else None,
                )
        except TimeoutError:
            raise TimeoutError(f"no connection within {CONNECT_S:.0f} s") from None
        self._opened = asyncio.get_running_loop().time()
        self._send(
            mqtt5.ConnectPacket(
                broker.client_id,
                username=broker.username,
                password=None if broker.password is None else broker.password.encode(),
                clean_start=self.clean,
                keep_alive=broker.keepalive_s,
                session_expiry_interval=0 if self.clean else broker.session_expiry_s,
                receive_max=broker.receive_maximum,
                max_packet_size=broker.maximum_packet,
            ).write()
        )

    def subscribe(self, topics: Sequence[str]) -> None:
        """See :meth:`collector.mqtt.link.Link.subscribe`."""
        filters = [
            mqtt5.TopicFilter(
                topic,
                max_qos=QoS.AT_LEAST_ONCE,
                # The flag then means that the message is of any age, and nothing else.
                retain_as_published=False,
                # What is retained is sent for a new subscription, not at every connection.
                retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
            )
            for topic in topics
        ]
        mid = self._next_mid(topics)
        self._send(mqtt5.SubscribePacket(mid, filters).write())

    def _unsubscribe(self, topics: Sequence[str]) -> None:
        mid = self._next_mid(topics)
        self._send(mqtt5.UnsubscribePacket(mid, list(topics)).write())

    def drop(self) -> None:
        """See :meth:`collector.mqtt.link.Link.drop`."""
        self._finish("dropped")
        if self._transport is not None:
            self._transport.abort()

    def _next_mid(self, topics: Sequence[str]) -> int:
        self._mid = self._mid % 65535 + 1
        self._asked[self._mid] = tuple(topics)
        return self._mid

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _read_on(self, reading: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # asyncio calls ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.BaseProtocol`."""
        self._transport = cast(asyncio.Transport, transport)
        self._asked: dict[int, tuple[str, ...]] = {}
        self._buffer(_PIECE)
        self._end = 0

    def connection_lost(self, error: Exception | None) -> None:
        """See :class:`asyncio.BaseProtocol`."""
        self._closed(str(error or "closed by the broker"))

    def get_buffer(self, _hint: int) -> memoryview:
        """See :class:`asyncio.BufferedProtocol`; never empty."""
        return self._view[self._end :]

    def buffer_updated(self, count: int) -> None:
        """See :class:`asyncio.BufferedProtocol`."""
        if self.ended:
            return
        self._alive()
        end = self._end + count
        try:
            at = self._read(end)
        except _Malformed as error:
            self._refuse(str(error), error.code)
            return
        if self.ended:
            return
        rest = end - at
        room = max(_PIECE, self._packet_size(at, end)) if rest else _PIECE
        if room != len(self._view):
            view = self._view[at:end]
            self._buffer(room)
            self._view[:rest] = view
        elif at and rest:
            self._view[:rest] = self._view[at:end]
        self._end = rest

    # Packets ----------------------------------------------------------------

    def _buffer(self, size: int) -> None:
        self._view = memoryview(bytearray(size))

    def _packet_size(self, at: int, end: int) -> int:
        """Bytes of the packet that begins at ``at``; a piece while that is not known."""
        size = packet_end(self._view[at : min(end, at + 5)], 0)
        if size is None:
            return _PIECE
        if size > self.broker.maximum_packet:
            raise _Malformed(
                f"a packet of {size} bytes, where at most {self.broker.maximum_packet} are allowed",
                _Reason.PACKET_TOO_LARGE,
            )
        return size

    def _read(self, end: int) -> int:
        """Take complete packets; returns the position behind them."""
        if not self.ready and self._view[0] >> 4 != _CONNACK:
            raise _Malformed("something else than CONNACK", _Reason.PROTOCOL_ERROR)
        inbox = self.inbox
        before, now_us = len(inbox.pending), inbox.clock.now()
        try:
            return self._read_packets(end, now_us)
        finally:
            if count := len(inbox.pending) - before:
                # The times were given one by one, a microsecond each.
                self._received(count, now_us + count)

    def _read_packets(self, end: int, now_us: int) -> int:
        view, generation, read = self._view, self.generation, mqtt5.read
        append, new, at = self.inbox.pending.append, tuple.__new__, 0
        while at < end:
            try:
                first = view[at]
                packet, size = read(view[at:end])
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                if isinstance(error, IndexError) and self._packet_size(at, end) > end - at:
                    break
                # ValueError, or a panic of the codec at text that is no UTF-8, which is no
                # Exception.
                size = self._read_leniently(at, end, now_us + 1, error)
                now_us += 1
                at += size
                continue
            at += size
            if type(packet) is PublishPacket:
                now_us += 1
                # The first byte tells what else would take four calls.
                if first == _PLAIN_PUBLISH:
                    mid, qos, retain = packet.packet_id, 1, False
                else:
                    mid, qos, retain = packet.packet_id or 0, first >> 1 & 3, bool(first & 1)
                    if first & 8:
                        self.inbox.redelivered += 1
                    if qos == 2:
                        self._saw_qos2 = True
                if qos and not mid:
                    raise _Malformed("a packet identifier of 0", _Reason.PROTOCOL_ERROR)
                append(
                    new(
                        Message,
                        (generation, mid, qos, packet.topic, packet.payload, now_us, retain),
                    )
                )
            else:
                self._take_other(packet)
                if self.ended:
                    break
        return at

    def _read_leniently(self, at: int, end: int, now_us: int, error: BaseException) -> int:
        """A PUBLISH that the codec will not have, such as one whose topic is no UTF-8.

        It must be accounted for like every message: the broker would only send it again.
        """
        frames, size = publishes(bytes(self._view[at:end]), 0, True, 1) if self.ready else ([], 0)
        if not frames:
            raise _Malformed(f"a malformed packet: {error}", _Reason.MALFORMED_PACKET) from None
        self.inbox.pending.append(frames[0].message(self.generation, now_us))
        return size

    def _take_other(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket() if not self.ready:
                self._take_connack(packet)
            case mqtt5.SubAckPacket():
                codes = [int(code) >= _FAILED for code in packet.reason_codes]
                self._answered(self._asked.pop(packet.packet_id, ()), codes)
            case mqtt5.UnsubAckPacket():
                self._asked.pop(packet.packet_id, None)
                self._unsubscribed()
            case mqtt5.PingRespPacket():
                self._pong()
            case mqtt5.PubRelPacket():
                self._send(packets(PUBCOMP, [packet.packet_id]))
            case mqtt5.DisconnectPacket():
                code = packet.reason_code
                taken_over = code is _Reason.SESSION_TAKEN_OVER
                self._finish(
                    f"the broker ended the connection: {_words(code, packet.reason_str)}",
                    End.TAKEN_OVER if taken_over else End.LOST,
                )
            case _:
                raise _Malformed(
                    f"{type(packet).__name__} out of place",
                    _Reason.PROTOCOL_ERROR,
                )

    def _take_connack(self, packet: mqtt5.ConnAckPacket) -> None:
        code = packet.reason_code
        # What the codec calls an IntEnum does not behave like one: compare by identity.
        if code is not mqtt5.ConnAckReasonCode.SUCCESS:
            version = code is mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION
            self._finish(
                f"the broker refused the connection: {_words(code, packet.reason_str)}",
                End.VERSION if version else End.LOST,
            )
            return
        expiry = packet.session_expiry_interval
        self._connected(
            packet.session_present,
            Granted(
                receive_maximum=packet.receive_max,
                session_expiry_s=self.broker.session_expiry_s if expiry is None else expiry,
                maximum_packet=packet.max_packet_size,
                maximum_qos=int(packet.max_qos),
                shared_subscriptions=packet.shared_subscription_available,
            ),
            packet.server_keep_alive,
        )

    def _refuse(self, what: str, code: _Reason) -> None:
        if not self.ready and bytes(self._view[:4]) == b"\x20\x02\x00\x01":
            # This is how MQTT 3.1.1 says it; no well-formed packet of MQTT 5 begins so.
            self._finish("the broker does not speak MQTT 5", End.VERSION)
        else:
            self._finish(f"the broker sent {what}")
            self._send(mqtt5.DisconnectPacket(reason_code=code).write())
        if self._transport is not None:
            self._transport.close()


def _words(code: mqtt5.ConnAckReasonCode | _Reason, more: str | None) -> str:
    words = code.name.replace("_", " ").capitalize()
    return f"{words} ({more})" if more else words
