"""The broker's shipped settings, the size of its queue, and the reading of other files."""

from __future__ import annotations

from pathlib import Path

from beffroi.embedded.mosquitto_conf import OVERHEAD_BYTES, queue_limits, read, shipped

COMPOSE = Path(__file__).parents[2] / "deploy/mosquitto/mosquitto.conf"


def settings(tmp_path: Path, *extra: str) -> dict[str, str]:
    path = tmp_path / "mosquitto.conf"
    path.write_text(
        shipped(1883, Path("/x"), Path("/lib/mosquitto_persist_sqlite.so"), 1000, extra)
    )
    return read(path)


def test_compose_and_the_embedded_stack_ship_the_same_persistence(tmp_path: Path):
    embedded, compose = settings(tmp_path), read(COMPOSE)
    for name in (
        "persistence", "plugin_opt_flush_period", "packet_buffer_size", "set_tcp_nodelay",
        "max_inflight_messages", "max_packet_size", "sys_interval", "allow_anonymous",
    ):  # fmt: skip
        assert embedded[name] == compose[name], name
    assert compose["plugin_opt_flush_period"] == "0"


def test_composes_queue_holds_ten_minutes_at_2000_messages_a_second():
    limits = read(COMPOSE)

    assert int(limits["max_queued_messages"]) >= 600 * 2000
    assert int(limits["max_queued_bytes"]) >= 600 * 2000 * 400


def test_a_queue_takes_a_quarter_of_the_memory_at_most():
    messages, payload = queue_limits(8_000_000_000)

    assert messages == 2_564_102
    assert payload == 641_025_500
    assert messages * OVERHEAD_BYTES + payload <= 2_000_000_000


def test_limits_stay_within_what_the_broker_can_read():
    assert queue_limits(10**13) == (2**31 - 1, 2**31 - 1)


def test_extra_lines_replace_add_and_take_out(tmp_path: Path):
    found = settings(
        tmp_path, "max_queued_messages 100", "memory_limit 5", "plugin_opt_flush_period"
    )

    assert found["max_queued_messages"] == "100"
    assert found["memory_limit"] == "5"
    assert "plugin_opt_flush_period" not in found
    # A name is a whole word: its longer relatives stay.
    assert found["plugin_opt_db_file"] == "/x/sessions.sqlite"


def test_a_file_is_read_with_what_it_includes(tmp_path: Path):
    parts = tmp_path / "conf.d"
    parts.mkdir()
    (parts / "a.conf").write_text("autosave_interval 1\n  persistence true\n")
    (tmp_path / "mosquitto.conf").write_text(
        f"# persistence maybe\npersistence false\ninclude_dir {parts}\n"
        "plugin /a/persist_sqlite.so\nplugin /a/dynamic_security.so\n"
    )

    assert read(tmp_path / "mosquitto.conf") == {
        "persistence": "true", "autosave_interval": "1", "plugin": "/a/persist_sqlite.so",
    }  # fmt: skip
