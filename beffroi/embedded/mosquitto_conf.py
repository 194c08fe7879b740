"""Mosquitto's configuration: what is shipped, and what another one would lose."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

INFLIGHT = 1000

# Measured on Mosquitto 2.1.2: what a queued message takes besides its payload.
OVERHEAD_BYTES = 530
TYPICAL_PAYLOAD_BYTES = 250
# The broker reads both limits as 32-bit numbers.
_MOST = 2**31 - 1

# The plugin commits between two turns of the broker's loop, when the acknowledgements of a turn
# are already sent: with flush_period 0 after every turn, by default every five seconds. What a
# turn takes is what a kill can lose, and it takes one read of each connection that has
# something: a small buffer makes that one message, or two, instead of 4 kB of them.
CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords

persistence false
plugin {plugin}
plugin_opt_db_file {folder}/sessions.sqlite
plugin_opt_flush_period 0
# One message of a connection at a time; a listener for websockets would need 4096.
packet_buffer_size 128

set_tcp_nodelay true
# An outage of the collector waits here. Beyond the first of these two limits messages are dropped,
# though acknowledged to the publisher. Memory for each: its payload and about 530 bytes.
max_queued_messages {messages}
max_queued_bytes {payload_bytes}
max_inflight_messages {inflight}
max_packet_size 1048576

sys_interval 10
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
log_timestamp_format %Y-%m-%dT%H:%M:%SZ
"""


def shipped(port: int, folder: Path, plugin: Path, inflight: int, extra: Sequence[str] = ()) -> str:
    """The text of the shipped configuration.

    Each line of ``extra`` replaces that of the same setting or is added; a setting's name alone
    takes it out.
    """
    messages, payload_bytes = queue_limits(memory())
    text = CONFIGURATION.format(
        port=port, folder=folder, plugin=plugin, inflight=inflight, messages=messages,
        payload_bytes=payload_bytes,
    )  # fmt: skip
    names = {line.split()[0] for line in extra}
    kept = [line for line in text.splitlines() if line.split(" ")[0] not in names]
    return "\n".join([*kept, *(line for line in extra if " " in line)]) + "\n"


def queue_limits(memory_bytes: int) -> tuple[int, int]:
    """How many messages, and how many bytes of payload, one session may queue.

    A full queue of usual messages takes a quarter of the memory: the database and the
    programs live there too.
    """
    room = memory_bytes // 4
    messages = room // (OVERHEAD_BYTES + TYPICAL_PAYLOAD_BYTES)
    return min(messages, _MOST), min(messages * TYPICAL_PAYLOAD_BYTES, _MOST)


def memory() -> int:
    """What this machine, or the container we are in, has. [bytes]"""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole


def read(path: Path) -> dict[str, str]:
    """The settings of a configuration file and of what it includes; the last of a name counts."""
    found: dict[str, str] = {}
    for line in path.read_text("utf-8", "replace").splitlines():
        name, _, value = line.strip().partition(" ")
        if not name or name.startswith("#"):
            continue
        if name == "include_dir":
            for part in sorted(Path(value.strip()).glob("*.conf")):
                found |= read(part)
        else:
            # A persistence plugin may stand among others.
            plugin = name == "plugin" and "persist" in found.get("plugin", "")
            found[name] = found[name] if plugin else value.strip()
    return found
