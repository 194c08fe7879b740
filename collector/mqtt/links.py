"""Which link to use: the fast one where the broker speaks MQTT 5, paho otherwise."""

from __future__ import annotations

import logging

from collector.mqtt.link import End, Link
from collector.mqtt.mqtt5_link import Mqtt5Link
from collector.mqtt.paho_link import PahoLink, PahoLink311
from collector.settings import Broker, SourceName

log = logging.getLogger(__name__)


class Links:
    """Chooses the kind of each new link and learns from how the last one ended.

    MQTT 3.1.1 is tried only where the broker says that it does not speak MQTT 5. Some old
    brokers say it by closing without a word, as does a proxy whose broker is away. So a
    silent end counts only if MQTT 3.1.1 is let in and MQTT 5 is then again closed upon.
    """

    def __init__(self, broker: Broker, name: SourceName = "auto") -> None:
        self._may_fall_back = broker.protocol is None and name != "mqtt5"
        self._five: type[Link] = PahoLink if name == "paho" else Mqtt5Link
        self._old = broker.protocol == 4
        self._sure = broker.protocol is not None
        self._silent_ends = 0

    @property
    def kind(self) -> type[Link]:
        """What the next link is made of."""
        return PahoLink311 if self._old else self._five

    def doubtful(self, link: Link) -> bool:
        """Whether a link that was let in must be given up to ask for MQTT 5 once more."""
        if link.protocol == 5:
            self._silent_ends = 0
        elif not self._sure and self._silent_ends == 1:
            return True
        elif not self._sure:
            self._settle("it closes MQTT 5 connections without a word")
        return False

    def switch(self, link: Link) -> bool:
        """After the end of a link: whether another kind is to be tried at once."""
        if not self._may_fall_back or self._sure:
            return False
        if link.protocol == 5:
            if link.ended is End.VERSION:
                self._settle(link.problem)
            elif link.ended is End.MUTE:
                self._silent_ends += 1
            else:
                self._silent_ends = 0
                return False
            self._old = True
            return True
        self._old = False
        if not link.ready:
            # It is away for everybody, and has proved nothing.
            self._silent_ends = 0
        return link.ready and self._silent_ends > 0

    def _settle(self, reason: str) -> None:
        self._sure = True
        log.info("broker spoken to in MQTT 3.1.1 reason=%s", reason)
