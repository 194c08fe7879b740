"""What the collector may be told, and how a mistake is answered."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from collector.mqtt.tls import context_for
from collector.settings import SettingError, from_environment

URL = {"BEFFROI_MQTT_URL": "mqtts://city:p%40ss@broker.example"}


def test_a_url_gives_host_port_credentials_and_tls():
    broker = from_environment(URL).broker

    assert (broker.host, broker.port, broker.tls) == ("broker.example", 8883, True)
    assert (broker.username, broker.password, broker.protocol) == ("city", "p@ss", None)


@pytest.mark.parametrize(
    ("environment", "protocol", "source", "stop"),
    [
        ({}, None, "auto", "keep"),
        ({"COLLECTOR_MQTT_PROTOCOL": "auto", "COLLECTOR_MQTT_SOURCE": "auto"}, None, "auto", "keep"),
        ({"COLLECTOR_MQTT_PROTOCOL": "5", "COLLECTOR_MQTT_SOURCE": "paho"}, 5, "paho", "keep"),
        ({"COLLECTOR_MQTT_PROTOCOL": "3.1.1", "COLLECTOR_STOP": "leave"}, 4, "auto", "leave"),
        ({"COLLECTOR_MQTT_SOURCE": "mqtt5", "COLLECTOR_STOP": "keep"}, None, "mqtt5", "keep"),
    ],
)  # fmt: skip
def test_source_protocol_and_what_stopping_means_are_settings(
    environment: dict[str, str], protocol: int | None, source: str, stop: str
):
    settings = from_environment(URL | environment)

    assert (settings.broker.protocol, settings.source, settings.stop) == (protocol, source, stop)


def test_the_oldest_time_is_a_setting():
    assert from_environment(URL).oldest == datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    assert from_environment(URL | {"COLLECTOR_OLDEST": "1990-06-01"}).oldest.year == 1990


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "BEFFROI_MQTT_URL is not set"),
        ({"BEFFROI_MQTT_URL": "http://x"}, "must look like mqtt://"),
        ({"BEFFROI_MQTT_URL": "mqtt://x:port"}, "a port that is no number"),
        (
            URL | {"COLLECTOR_SHARE_GROUP": "city/a"},
            "COLLECTOR_SHARE_GROUP must be a name without /",
        ),
        (
            URL | {"COLLECTOR_MQTT_PROTOCOL": "4"},
            "COLLECTOR_MQTT_PROTOCOL must be auto, 5 or 3.1.1, got '4'",
        ),
        (
            URL | {"COLLECTOR_MQTT_SOURCE": "fast"},
            "COLLECTOR_MQTT_SOURCE must be auto, paho or mqtt5, got 'fast'",
        ),
        (
            URL | {"COLLECTOR_MQTT_SOURCE": "mqtt5", "COLLECTOR_MQTT_PROTOCOL": "3.1.1"},
            "COLLECTOR_MQTT_SOURCE is mqtt5, which does not speak COLLECTOR_MQTT_PROTOCOL 3.1.1",
        ),
        (URL | {"COLLECTOR_STOP": "now"}, "COLLECTOR_STOP must be keep or leave, got 'now'"),
        (
            URL | {"COLLECTOR_MQTT_CA": "nowhere.pem"},
            "COLLECTOR_MQTT_CA must name a PEM file that can be read, got 'nowhere.pem'",
        ),
        (URL | {"COLLECTOR_BATCH_MESSAGES": "many"}, "must be a whole number, got 'many'"),
        (URL | {"COLLECTOR_RECEIVE_MAXIMUM": "0"}, "must lie between 1 and 65535, got 0"),
        (URL | {"COLLECTOR_OLDEST": "long ago"}, "must be a date like 2000-01-01, got 'long ago'"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name(environment: dict[str, str], told: str):
    with pytest.raises(SettingError, match=told):
        from_environment(environment)


def test_a_password_is_never_repeated():
    with pytest.raises(SettingError) as caught:
        from_environment({"BEFFROI_MQTT_URL": "ftp://city:hush@broker"})

    assert "hush" not in str(caught.value)


def test_a_tls_file_that_cannot_be_used_is_named(tmp_path: Path):
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    broker = from_environment(URL | {"COLLECTOR_MQTT_CA": str(path)}).broker

    with pytest.raises(OSError, match=f"COLLECTOR_MQTT_CA={path} cannot be used"):
        context_for(broker)
