"""What a vendor's devices send, said once: profiles, and where their mistakes are told."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.city import City, parse
from storage.mistakes import MistakesError
from storage.toml_lines import line_of, lines

TOML = """[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"

[[binding]]
topic = "lora/{sensor}"
profile = "em300"

[[profile]]
name = "em300"
step_s = 600

[profile.fields]
temperature = { metric = "temperature", unit = "[degF]" }
humidity    = { metric = "humidity", scale = 0.5 }

[[profile]]
name = "clamp"
stamp = "end"

[profile.fields]
"ENERGY.Power" = { metric = "power", unit = "W" }
ENERGY.Total   = { metric = "energy_import", unit = "W.h", scale = 40, step_s = 900, register_max = 1e6 }
"""
CODEC = """[[profile.codec.field]]
name = "ENERGY.Power"
offset = 0
type = "u16be"
unit = "UNIT"
"""
HEADER = "territory,site,sensor,metric,profile,field,unit,scale,step_s,stamp\n"
CSV = HEADER + "99001,mairie,a1,,em300,,,,,\n99001,mairie,c1,,clamp,,,,60,\n"


def mistakes(toml: str = TOML, csv: str = CSV) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        parse(toml, csv)
    return [str(mistake) for mistake in caught.value.mistakes]


def told_of(city: City) -> list[tuple[object, ...]]:
    return [
        (p.line.sensor, p.line.field, p.metric.name, p.line.unit, p.line.step_s, p.line.stamp)
        for p in city.series
    ]


def test_one_line_of_the_list_makes_all_series_of_a_profile():
    city = parse(TOML, CSV)

    assert told_of(city) == [
        ("a1", "temperature", "temperature", "[degF]", 600, "start"),
        ("a1", "humidity", "humidity", "%", 600, "start"),
        ("c1", "ENERGY.Power", "power", "W", 60, "end"),
        # What stands in the list comes before what the profile says of its fields.
        ("c1", "ENERGY.Total", "energy_import", "W.h", 60, "end"),
    ]
    assert [p.line.profile for p in city.series] == ["em300", "em300", "clamp", "clamp"]
    assert [p.number for p in city.series] == [2, 2, 3, 3]


def test_the_number_sent_times_the_scale_is_in_the_unit():
    temperature, humidity, power, total = parse(TOML, CSV).series

    assert 50 * temperature.scale + temperature.shift == pytest.approx(10)
    assert 90 * humidity.scale + humidity.shift == 45
    assert 1500 * power.scale == pytest.approx(1.5)
    # A current transformer of 40:1 before a meter that counts watt-hours.
    assert 25 * total.scale == pytest.approx(1)
    assert total.line.register_max == 1e6


def test_a_scale_may_stand_in_the_list_too():
    (series,) = parse(TOML, HEADER + "99001,m,x,temperature,,t,[degF],0.1,60,\n").series

    assert (series.line.scale, series.line.profile) == (0.1, "")
    assert 500 * series.scale + series.shift == pytest.approx(10)


@pytest.mark.parametrize("first", [True, False])
def test_a_line_of_its_own_adds_a_field_to_a_profile_or_says_it_otherwise(first: bool):
    own = "99001,mairie,a1,humidity,,humidity,%,,300,\n99001,mairie,a1,pressure,,p,kPa,,300,\n"
    of_profile = "99001,mairie,a1,,em300,,,,,\n"
    rows = own + of_profile if first else of_profile + own

    city = parse(TOML, HEADER + rows)

    assert sorted(told_of(city)) == [
        ("a1", "humidity", "humidity", "%", 300, "start"),
        ("a1", "p", "pressure", "kPa", 300, "start"),
        ("a1", "temperature", "temperature", "[degF]", 600, "start"),
    ]
    assert {p.line.profile for p in city.series} == {"em300"}
    assert {p.line.scale for p in city.series} == {1.0}


def test_the_columns_of_metrics_may_be_missing_where_profiles_say_all():
    city = parse(TOML, "territory,site,sensor,profile\n99001,m,a1,em300\n99001,m,a2,em300\n")

    assert len(city.series) == 4


def test_a_profile_of_codec_alone_leaves_the_fields_to_the_list():
    toml = TOML + '[[profile]]\nname = "raw"\n[profile.codec]\nstandard = "cayenne-lpp"\n'
    rows = "99001,m,r1,,raw,,,,,\n99001,m,r1,temperature,,temperature_1,,,60,\n"

    (series,) = parse(toml, HEADER + rows).series

    assert series.line.profile == "raw"
    (told,) = mistakes(toml, HEADER + "99001,m,r1,,raw,,,,,\n")
    assert "profile 'raw' has no fields and sensor 'r1' no other line" in told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("99001,m,b,,em3000,,,,,", "profile 'em3000' is unknown; did you mean 'em300'? Or add a"),
        ("99001,m,b,,zzz,,,,,", "profile 'zzz' is unknown; add a [[profile]] to city.toml"),
        ("99001,m,b,,,,,,60,", "metric: is missing; name a metric or a profile"),
        ("99001,m,b,no2,em300,,,,,", "names a metric and a profile; write a line for each"),
        ("99001,m,b,,em300,,%,,,", "unit: is said by the profile for each field; leave it empty"),
        ("99001,m,b,,em300,,,2,,", "scale: is said by the profile for each field"),
        ("99001,m,b,,clamp,,,,,", "step_s: is missing; say it here or in profile 'clamp'"),
        ("99001,m,b,,clamp,,,,0,", "stamp: 'end' needs a step_s"),
        ("99001,mairie,a1,,clamp,,,,60,", "sensor 'a1' already has profile 'em300' in line 2"),
        ("99001,m,b,no2,,,,,,", "step_s: is missing; add the seconds between readings"),
        ("99001,m,b,no2,,,,0,60,", "scale: must be a number from 1e-12 to 1e12"),
        ("99001,m,b,no2,,,,nan,60,", "scale: must be a number from 1e-12 to 1e12"),
        ("99001,m,b,no2,,,,much,60,", "scale: Input should be a valid number"),
    ],
)
def test_a_mistake_of_the_list_is_told_with_its_line_once(row: str, told: str):
    found = mistakes(csv=CSV + row + "\n")

    assert {one.split(": ")[0] for one in found} == {"sensors.csv:4"}
    assert len(found) <= 2  # two fields of `clamp`
    assert told in found[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'metric = "humidity"', 'metric = "humidty"',
            "city.toml:19: profile.fields.humidity: metric 'humidty' is unknown; did you mean humidity?",
        ),
        (
            'unit = "W" }', 'unit = "VA" }',
            "city.toml:26: profile.fields.ENERGY.Power: unit: 'VA' does not measure the same thing as 'kW'",
        ),
        (
            'unit = "W.h"', 'unit = "W"',
            "city.toml:27: profile.fields.ENERGY.Total: unit: 'W' does not measure the same thing",
        ),
        (
            "scale = 0.5", "scale = 0",
            "city.toml:19: profile.fields.humidity.scale: must be a number from 1e-12 to 1e12",
        ),
        (
            "scale = 0.5", 'scal = 0.5',
            "city.toml:19: profile.fields.humidity.scal: is not a known key; remove it or correct",
        ),
        (
            "step_s = 900", "step_s = -1",
            "city.toml:27: profile.fields.ENERGY.Total.step_s: Input should be greater than",
        ),
        (
            'metric = "power", ', "",
            "city.toml:26: profile.fields.ENERGY.Power.metric: is missing; add it",
        ),
        ('stamp = "end"', 'stamp = "middle"', "city.toml:23: profile.stamp: Input should be"),
        ('name = "clamp"', 'nam = "clamp"', "city.toml:21: profile.name: is missing; add it"),
        ('name = "clamp"', 'name = "em300"', "name 'em300' stands there twice; remove one"),
        (
            "humidity    =", "temperature =",
            "city.toml:19: this is not TOML: Cannot overwrite a value",
        ),
        (
            'profile = "em300"', 'profile = "em30"',
            "city.toml:11: binding.profile: profile 'em30' is unknown; did you mean 'em300'?",
        ),
        (
            'profile = "em300"', 'ignore = ["a*b"]',
            "city.toml:11: binding.ignore: 'a*b' is no field; '*' may only end a name",
        ),
        ('profile = "em300"', 'ignore = ["x", "*"]', "'*' may only end a name"),
        (
            'stamp = "end"', "[profile.codec]\nstandard = 'none such'",
            "city.toml:24: profile.codec",
        ),
        (
            'stamp = "end"', CODEC.replace("UNIT", "Cel"),
            "city.toml:27: profile.codec.field.unit: 'Cel' does not measure the same thing as 'kW'",
        ),
        (
            'stamp = "end"', CODEC.replace("UNIT", "flurbs").replace("ENERGY.", ""),
            "city.toml:27: profile.codec.field.unit: the unit 'flurbs' cannot be read",
        ),
        (
            "{ metric = \"humidity\", scale = 0.5 }", '"humidity"',
            "city.toml:19: profile.fields.humidity: Input should be",
        ),
    ],
)  # fmt: skip
def test_a_mistake_of_a_profile_is_told_with_its_own_line(old: str, new: str, told: str):
    assert TOML.count(old) == 1

    assert any(told in one for one in mistakes(TOML.replace(old, new))), mistakes(
        TOML.replace(old, new)
    )


def test_mistakes_of_both_files_are_told_at_once_and_none_of_them_twice():
    toml = TOML.replace('"temperature", unit', '"temprature", unit')

    found = mistakes(toml, CSV + "99001,m,a2,,em300,,,,,\n99001,m,b,no3,,,,,60,\n")

    assert [one.split(": ")[0] for one in found] == ["city.toml:18", "sensors.csv:5"]


def test_a_profile_that_nobody_names_is_fine():
    city = parse(TOML, HEADER + "99001,m,b,no2,,,,,60,\n")

    assert [profile.name for profile in city.profiles] == ["em300", "clamp"]


def test_tables_too_deep_are_told():
    (told,) = mistakes("x = " + "[" * 100_000)

    assert told == (
        "city.toml:1: holds tables or lists too deep within one another; write it flatter"
    )


def test_every_value_of_a_toml_text_has_its_line():
    text = (
        "# a comment\n"
        'top = "#" # no table\n'
        "[a]\n"
        'b."c.d" = [1, # one\n'
        "  {e = 'x', f = [2,\n"
        '    3]}, """text ]\n'
        '  [b]""",\n'
        "  1979-05-27 07:32:00]\n"
        "[[l]]\n"
        "[l.t]\n"
        "k = 1\n"
        "[[l.m]]\n"
        "[[l]]\n"
        "[[l.m]]\n"
        'k = "a\\"]b"\n'
        "[[l.m]]\n"
        "'k' = true\n"
    )
    tomllib.loads(text)

    assert line_of(text, ("top",)) == 2
    assert line_of(text, ("a", "b", "c.d", 0)) == 4
    assert line_of(text, ("a", "b", "c.d", 1, "e")) == 5
    assert line_of(text, ("a", "b", "c.d", 1, "f", 1)) == 6
    assert line_of(text, ("a", "b", "c.d", 3)) == 8
    assert line_of(text, ("l", 0, "t", "k")) == 11
    assert line_of(text, ("l", 0, "m", 0)) == 12
    assert line_of(text, ("l", 1)) == 13
    assert line_of(text, ("l", 1, "m", 0, "k")) == 15
    assert line_of(text, ("l", 1, "m", 1, "k")) == 17
    # What is not there has the line of what is around it, or the last.
    assert line_of(text, ("l", 0, "t", "missing")) == 10
    assert line_of(text, ("l", 0, "some-tag", "t", "k")) == 11
    assert line_of(text, ("nowhere",)) == 17


_VALUES = st.recursive(
    st.integers(0, 9) | st.sampled_from(["x", "a]b", "#", "{", '"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["k", "l m", "#", "n.o"]), inner, max_size=3
    ),
    max_leaves=12,
)  # fmt: skip


def written(value: object) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(written(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {written(one)}' for name, one in value.items()) + "}"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "") + "'"


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_every_value_that_the_library_reads_is_found(value: object):
    text = f"top = {written(value)}\n"

    def paths(of: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
        members = (
            of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ()
        )
        return [path, *(one for name, inner in members for one in paths(inner, (*path, name)))]

    assert sorted(lines(text), key=repr) == sorted(
        paths(tomllib.loads(text)["top"], ("top",)), key=repr
    )
