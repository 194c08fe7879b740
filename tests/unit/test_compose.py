"""The Compose file starts nothing with a default secret, an unpinned image or no health check."""

import json
import re
from pathlib import Path

import check_jsonschema
import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")

# Ours and those of others that run for good; the rest does its work once and ends.
LASTING = {"mosquitto", "timescaledb", "collector", "processor", "board", "tls", "grafana"}
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


def substitutions(text):
    """(name, operator, argument) of every ${...} in the file."""
    return re.findall(r"(?<!\$)\$\{(\w+)(:\?|:-)?([^}]*)\}", text)


def test_the_file_satisfies_the_compose_specification():
    schema = (
        Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    )

    validator = jsonschema.Draft7Validator(json.loads(schema.read_text("utf-8")))

    assert [error.message for error in validator.iter_errors(COMPOSE)] == []


def test_every_secret_must_be_given_and_the_message_names_it():
    secrets = [found for found in substitutions(TEXT) if SECRET.search(found[0])]

    assert len({name for name, _, _ in secrets}) == 7
    for name, operator, message in secrets:
        assert operator == ":?", f"{name} has a default"
        assert message == f"set {name} in .env"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_secret_is_written_in_the_file(service):
    for name, value in SERVICES[service].get("environment", {}).items():
        if re.search(r"PASSWORD$|SECRET_KEY$", name):
            assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
        elif "://" in value and "@" in value:
            assert re.search(r":\$\{\w+:\?[^}]+\}@", value), name


def test_every_variable_is_explained_in_the_example_with_an_empty_value():
    offered = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))

    assert set(offered) == {name for name, _, _ in substitutions(TEXT)}
    assert set(offered.values()) == {""}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_image_is_pinned_to_a_full_version(service):
    assert re.search(r":\d+\.\d+\.\d+(-[\w.-]+)?$", SERVICES[service]["image"])


def test_the_base_images_of_our_own_are_pinned_and_its_packages_hashed():
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)

    assert bases
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)
    assert re.search(r"--require-hashes.*-r requirements\.lock", dockerfile)
    assert re.search(r"^USER \d+:\d+$", dockerfile, re.MULTILINE)


@pytest.mark.parametrize("service", sorted(LASTING))
def test_what_runs_for_good_has_a_health_check_and_starts_again(service):
    check = SERVICES[service]["healthcheck"]

    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", sorted(set(SERVICES) - LASTING))
def test_what_works_once_is_not_started_again(service):
    assert SERVICES[service]["restart"] == "no"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_drops_its_capabilities_and_rotates_its_log(service):
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]
    assert SERVICES[service]["logging"]["options"]["max-size"]
    # The database server alone keeps a writable root: its image prepares folders there.
    assert SERVICES[service].get("read_only", False) is (service != "timescaledb")


def test_ports_are_open_on_loopback_unless_told_otherwise():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 4
    assert all(port.startswith("${BEFFROI_BIND:-127.0.0.1}:") for port in ports)


def test_the_database_is_on_the_inner_network_only():
    assert SERVICES["timescaledb"]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert "ports" not in SERVICES["timescaledb"]


def test_the_programs_are_the_commands_of_the_one_image():
    commands = {
        name: service["command"]
        for name, service in SERVICES.items()
        if service["image"].startswith("beffroi:")
    }

    assert commands == {
        "migrate": ["migrate"], "register": ["register", "/city/city.toml"],
        "collector": ["collect"], "processor": ["process"], "board": ["board"],
        "push": ["grafana", "push"],
    }  # fmt: skip


def test_programs_wait_for_the_migrated_database_and_readers_for_their_grants():
    done = {"condition": "service_completed_successfully"}

    assert SERVICES["migrate"]["depends_on"] == {"timescaledb": {"condition": "service_healthy"}}
    for name in ("collector", "processor", "readers"):
        assert SERVICES[name]["depends_on"]["migrate"] == done
    for name in ("board", "grafana"):
        assert SERVICES[name]["depends_on"]["readers"] == done


def test_the_public_board_and_grafana_have_database_roles_of_their_own():
    users = {name: SERVICES[name]["environment"].get("PGUSER", "") for name in ("collector",
             "processor", "board")}  # fmt: skip

    assert users == {"collector": "beffroi", "processor": "beffroi", "board": "beffroi_board"}
    assert SERVICES["grafana"]["environment"]["BEFFROI_PGUSER"] == "beffroi_grafana"


def test_the_board_has_https_by_an_authority_of_its_own_and_streams_are_not_held_back():
    service = SERVICES["tls"]
    lines = [line.strip() for line in (ROOT / "deploy/tls/Caddyfile").read_text().splitlines()]

    assert service["environment"] == {"BEFFROI_TLS_NAME": "${BEFFROI_TLS_NAME:-localhost}"}
    assert service["ports"] == ["${BEFFROI_BIND:-127.0.0.1}:443:8443"]
    assert service["networks"] == ["front"]
    assert {"tls internal", "admin off", "flush_interval -1"} <= set(lines)
    assert "https://{$BEFFROI_TLS_NAME}:8443 {" in lines
    # The board's own headers are what browsers get.
    assert not [line for line in lines if line.startswith("header")]
    kept = [volume for volume in service["volumes"] if volume["target"] == "/data"]
    assert kept == [{"type": "volume", "source": "authority", "target": "/data"}]


def test_grafana_is_filled_where_it_runs_and_shows_the_citys_time():
    given, push = SERVICES["grafana"]["environment"], SERVICES["push"]["environment"]
    mounted = {volume["target"]: volume["source"] for volume in SERVICES["grafana"]["volumes"]}
    files = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mounted["/etc/beffroi/dashboards"])
    home = Path(given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert (ROOT / files / home.relative_to("/etc/beffroi/dashboards")).is_file()
    assert given["GF_DATE_FORMATS_DEFAULT_TIMEZONE"] == "${BEFFROI_TIMEZONE:-Europe/Paris}"
    assert push["BEFFROI_GRAFANA_USER"] == given["GF_SECURITY_ADMIN_USER"]
    assert push["BEFFROI_GRAFANA_PASSWORD"] == given["GF_SECURITY_ADMIN_PASSWORD"]
    # The database has no certificate: what it says stays on the inner network.
    assert push["BEFFROI_GRAFANA_DATABASE_TLS"] == "off"
    assert given["BEFFROI_PGSSLMODE"] == "disable"


def test_grafana_tells_nobody_and_lets_nobody_in_unnamed():
    given = SERVICES["grafana"]["environment"]
    off = ("GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP", "GF_ANALYTICS_REPORTING_ENABLED",
           "GF_ANALYTICS_CHECK_FOR_UPDATES", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
           "GF_SNAPSHOTS_EXTERNAL_ENABLED")  # fmt: skip

    assert {given[name] for name in off} == {"false"}
    assert given["GF_SECURITY_COOKIE_SECURE"] == given["GF_SECURITY_CONTENT_SECURITY_POLICY"]
    assert given["GF_SECURITY_CONTENT_SECURITY_POLICY"] == "true"
    assert given["GF_SECURITY_COOKIE_SAMESITE"] == "strict"


def test_the_broker_commits_every_message_and_admits_nobody_without_a_password():
    lines = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text("utf-8").splitlines()

    for setting in (
        "plugin /usr/lib/mosquitto_persist_sqlite.so",
        "plugin_opt_flush_period 0",
        "persistence false",
        "allow_anonymous false",
        "set_tcp_nodelay true",
        "packet_buffer_size 128",
        "max_queued_messages 2500000",
        "max_queued_bytes 1000000000",
        "max_inflight_messages 1000",
    ):
        assert setting in lines


def test_every_file_that_is_mounted_exists():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume["source"])
            if volume["type"] == "bind" and volume["source"].startswith("./"):
                assert (ROOT / source).exists(), source
                assert volume["read_only"] is True
