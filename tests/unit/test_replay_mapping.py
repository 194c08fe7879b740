"""Mappings of recorded files: what they say, and what is said about their mistakes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from collector.replay.mapping import load_mapping, parse_mapping
from collector.replay.publish import messages_of
from collector.replay.read import Recording, city_of, read
from storage.mistakes import MistakesError

SHIPPED = sorted((Path(__file__).parents[1] / "replay").glob("*.toml"))

HEAD = """[file]
separator = ";"
decimal = ","
missing = ["", "Ges"]
{file}
[time]
column = "when"
format = "%d/%m/%Y %H:%M"
zone = "Europe/Paris"
stamp = "{stamp}"
step_s = 3600
{time}
[[territory]]
code = "35238"
name = "Rennes"
timezone = "Europe/Paris"
"""
WIDE = """
[[value]]
column = "a"
sensor = "loop-1"
metric = "flow"
[[value]]
column = "b"
sensor = "loop-1"
metric = "speed"
unit = "mph"
"""
LONG = """
[[value]]
column = "a"
sensor = { column = "b" }
metric = "bikes"
"""


def mapping_text(values: str = WIDE, file: str = "", time: str = "", stamp: str = "start") -> str:
    return HEAD.format(file=file, time=time, stamp=stamp) + values


def reading(tmp_path: Path, content: str, text: str | None = None) -> Recording:
    file = tmp_path / "file.csv"
    file.write_text(content, "utf-8")
    return read(parse_mapping(text or mapping_text()), file)


def hours(recording: Recording) -> list[str]:
    return [str(t)[:16] for t in recording.time_us.view("datetime64[us]")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_mappings_of_the_recorded_data_sets_are_free_of_mistakes(path: Path):
    assert load_mapping(path).value


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('stamp = "start"', 'stamp = "begin"', "m.toml:10: time.stamp: Input should be 'start'"),
        ("step_s = 3600", "", "m.toml:6: time.step_s: is missing; add it"),
        ('separator = ";"', 'seperator = ";"', "m.toml:2: file.seperator: is not a known key"),
        ('zone = "Europe/Paris"', 'zone = "Paris"', "m.toml:9: time.zone: 'Paris' is no time zone"),
        ('metric = "flow"', 'metric = "flux"', "m.toml:21: metric 'flux' is unknown; use one of"),
        ('unit = "mph"', 'unit = "kg"', "m.toml:26: 'kg' does not measure the same thing as"),
        ('metric = "flow"\n', "", "m.toml:18: metric: is missing; add it here or in every"),
        ('name = "Rennes"\ntimezone = "Europe/Paris"', 'name = "Rennes"', "13: timezone: is miss"),
        ('sensor = "loop-1"', "sensor = {}", "m.toml:20: value.sensor: write a text, or { column"),
        ("[time]", "[time", "m.toml:6: this is not TOML"),
        ('metric = "flow"', 'metric = "flow"\nfield = "time"', "22: field 'time' is the time"),
    ],
)
def test_a_mistake_in_a_mapping_is_reported_with_file_line_and_remedy(
    old: str, new: str, said: str
):
    with pytest.raises(MistakesError) as caught:
        parse_mapping(mapping_text().replace(old, new, 1), "m.toml")

    assert said in str(caught.value)


def test_all_mistakes_are_reported_at_once():
    text = mapping_text().replace('"start"', '"begin"').replace('separator = ";"', 'separator = ""')
    with pytest.raises(MistakesError) as caught:
        parse_mapping(text)

    assert [mistake.line for mistake in caught.value.mistakes] == [2, 10]


def test_a_row_is_one_message_per_sensor_and_says_its_time_in_utc(tmp_path: Path):
    recording = reading(tmp_path, "when;a;b\n01/07/2024 10:00;120,5;30\n01/07/2024 11:00;0;Ges\n")

    assert [message[:2] for message in messages_of(recording)] == [
        (
            "replay/35238/loop-1/loop-1",
            b'{"time":"2024-07-01T08:00:00Z","flow":120.5,"speed":30.0}',
        ),
        ("replay/35238/loop-1/loop-1", b'{"time":"2024-07-01T09:00:00Z","flow":0.0}'),
    ]
    assert recording.missing.tolist() == [0, 1]


def test_rows_stay_in_file_order_unless_the_recorded_time_counts(tmp_path: Path):
    recording = reading(tmp_path, "when;a;b\n01/07/2024 11:00;2;\n01/07/2024 10:00;1;\n")

    as_filed = [m.due_us for m in messages_of(recording)]
    in_order = [m.due_us for m in messages_of(recording, in_order_of_time=True)]
    assert as_filed == in_order[::-1] == [1719824400000000, 1719820800000000]


def test_sensors_that_share_a_row_get_a_message_each(tmp_path: Path):
    text = mapping_text(WIDE.replace('"loop-1"', '"loop-2"', 1))
    recording = reading(tmp_path, "when;a;b\n01/07/2024 10:00;1;2\n", text)

    assert [message.topic for message in messages_of(recording)] == [
        "replay/35238/loop-2/loop-2",
        "replay/35238/loop-1/loop-1",
    ]


def test_a_series_without_a_value_is_registered_all_the_same(tmp_path: Path):
    recording = reading(tmp_path, "when;a;b\n01/07/2024 10:00;1;\n")
    city = city_of(parse_mapping(mapping_text()), recording)

    assert [(p.line.sensor, p.line.field, p.line.unit) for p in city.series] == [
        ("loop-1", "flow", "h-1"),
        ("loop-1", "speed", "mph"),
    ]
    assert [p.scale for p in city.series] == [1.0, 1.609344]
    assert city.bindings == ()


AUTUMN = "when;a;b\n27/10/2024 01:00;0;0\n27/10/2024 02:00;1;1\n27/10/2024 02:00;2;\n27/10/2024 03:00;3;3\n"


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ("first", ["2024-10-27T00:00"] * 3),
        ("second", ["2024-10-27T01:00"] * 3),
        ("order", ["2024-10-27T00:00", "2024-10-27T00:00", "2024-10-27T01:00"]),
    ],
)
def test_an_hour_that_occurs_twice_follows_the_rule_of_the_mapping(
    tmp_path: Path, rule: str, passes: list[str]
):
    text = mapping_text(time=f'ambiguous = "{rule}"')
    recording = reading(tmp_path, AUTUMN, text)

    before, after = ["2024-10-26T23:00"] * 2, ["2024-10-27T02:00"] * 2
    assert hours(recording) == before + passes + after
    assert recording.ambiguous == 2


def test_in_a_file_that_runs_backwards_the_second_pass_comes_first(tmp_path: Path):
    header, *rows = AUTUMN.splitlines()
    backwards = "\n".join([header, *rows[::-1]])
    recording = reading(tmp_path, backwards, mapping_text(time='ambiguous = "order"'))

    # Of the pass whose row has one value only, that value too.
    assert hours(recording)[2:5] == ["2024-10-27T01:00"] + ["2024-10-27T00:00"] * 2
    assert recording.value[2:5].tolist() == [2, 1, 1]


def test_each_sensor_of_a_long_file_has_passes_of_its_own(tmp_path: Path):
    rows = "when;a;b\n" + "".join(f"27/10/2024 02:00;{n};{s}\n" for n, s in enumerate("xxyyz"))
    recording = reading(tmp_path, rows, mapping_text(LONG, time='ambiguous = "order"'))

    assert [hour[11:13] for hour in hours(recording)] == ["00", "01", "00", "01", "00"]


def test_an_hour_that_never_occurs_is_read_as_if_the_clock_had_not_moved(tmp_path: Path):
    recording = reading(tmp_path, "when;a;b\n31/03/2024 02:30;1;\n")

    assert (hours(recording), recording.skipped) == (["2024-03-31T01:30"], 1)


@pytest.mark.parametrize(
    ("zone", "cell", "instant"),
    [
        ("UTC", "2024-07-01 10:00", "2024-07-01T10:00"),
        ("-05:00", "2024-07-01 10:00", "2024-07-01T15:00"),
        ("America/Toronto", "2024-07-01 10:00", "2024-07-01T14:00"),
        ("America/Toronto", "2024-07-01T10:00+02:00", "2024-07-01T08:00"),
    ],
)
def test_a_zone_may_be_utc_an_offset_all_year_or_a_place_and_the_cell_knows_better(
    tmp_path: Path, zone: str, cell: str, instant: str
):
    text = mapping_text().replace('"%d/%m/%Y %H:%M"', '"iso"').replace("Europe/Paris", zone, 1)

    assert hours(reading(tmp_path, f"when;a;b\n{cell};1;\n", text)) == [instant]


def test_an_end_stamp_is_published_as_it_is_and_registered_as_such(tmp_path: Path):
    text = mapping_text(stamp="end")
    recording = reading(tmp_path, "when;a;b\n01/07/2024 10:00;1;\n", text)

    assert hours(recording) == ["2024-07-01T08:00"]
    assert {placed.line.stamp for placed in city_of(parse_mapping(text), recording).series} == {
        "end"
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "when;a\n01/07/2024 10:00;1\n",
            "file.csv:1: has no column 'b', only 'when', 'a'; correct",
        ),
        ("when;a;b\n01/07/2024 10:00;1\n", "file.csv:2: ends after 2 of 3 cells; complete it, or"),
        ("when;a;b\n01/07/2024 10:00;1;2;3\n", "file.csv:2: has 4 cells under 3 columns; quote"),
        ("when;a;b\n01/07/2024 10:00;1;Stö\n", "file.csv:2: 'b' holds 'Stö', which is no number;"),
        ("when;a;b\n01/07/2024 10:00;1;inf\n", "add it to missing in mapping.toml"),
        ("when;a;b\n01/07/2024 10:00;1_0;2\n", "file.csv:2: 'a' holds '1_0', which is no number"),
        ("when;a;b\n07/31/2024 10:00;1;2\n", "file.csv:2: '07/31/2024 10:00' is no time like"),
        ('when;a;b\n"01/07/2024 10:00;1;2\n', "this is not CSV: unexpected end of data; check"),
    ],
)
def test_what_the_mapping_does_not_cover_is_reported_with_file_line_and_remedy(
    tmp_path: Path, content: str, said: str
):
    with pytest.raises(MistakesError) as caught:
        reading(tmp_path, content)

    assert said in str(caught.value)


def test_a_naive_time_without_a_zone_is_refused(tmp_path: Path):
    text = mapping_text().replace('\nzone = "Europe/Paris"\n', "\n")
    with pytest.raises(MistakesError, match="'01/07/2024 10:00' has no offset; name a zone"):
        reading(tmp_path, "when;a;b\n01/07/2024 10:00;1;2\n", text)


def test_a_sensor_whose_code_cannot_stand_in_a_topic_is_refused(tmp_path: Path):
    with pytest.raises(MistakesError, match=r"file\.csv:2: .*'quai/nord'"):
        reading(tmp_path, "when;a;b\n01/07/2024 10:00;1;quai/nord\n", mapping_text(LONG))


def test_a_series_told_in_two_ways_is_refused(tmp_path: Path):
    text = mapping_text(LONG.replace('"bikes"', '"speed"') + 'unit = { column = "when", words = '
        '{ "01/07/2024 10:00" = "km/h", "01/07/2024 11:00" = "mph" } }\n')  # fmt: skip
    rows = "when;a;b\n01/07/2024 10:00;1;x\n01/07/2024 11:00;1;x\n"
    with pytest.raises(
        MistakesError, match=r"file\.csv:3: field 'speed' of sensor 'x' is told in two"
    ):
        reading(tmp_path, rows, text)


def test_short_rows_may_be_kept(tmp_path: Path):
    text = mapping_text(file='short_rows = "keep"')
    recording = reading(tmp_path, "when;a;b\n01/07/2024 10:00;1\n", text)

    assert (recording.value.tolist(), recording.short, recording.missing.tolist()) == (
        [1],
        1,
        [0, 1],
    )


def test_gzip_is_known_by_its_suffix_and_an_encoding_by_its_name(tmp_path: Path):
    file = tmp_path / "file.csv.gz"
    file.write_bytes(gzip.compress("when;a;b;été\n01/07/2024 10:00;1;2;3\n".encode("latin-1")))
    text = mapping_text(file='encoding = "latin-1"').replace('column = "b"', 'column = "été"')

    assert read(parse_mapping(text), file).value.tolist() == [1, 3]


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path: Path):
    file = tmp_path / "file.csv"
    file.write_bytes("when;a;b\n01/07/2024 10:00;1;Sté\n".encode("latin-1"))
    with pytest.raises(MistakesError, match=r"file\.csv:1: cannot be read .* check encoding"):
        read(parse_mapping(mapping_text()), file)


JSON_MAPPING = """
[file]
kind = "json"
records = "results"
[time]
column = "t"
stamp = "unknown"
step_s = 3600
[[territory]]
code = "75056"
name = "Paris"
timezone = "Europe/Paris"
[place]
site_name = { column = "name" }
longitude = { column = "at.lon" }
[[value]]
column = "q"
sensor = { column = "id" }
metric = "flow"
[[sensor]]
code = "7"
latitude = 48.5
"""


def test_json_records_have_dotted_columns_and_null_is_missing(tmp_path: Path):
    file = tmp_path / "page.json"
    file.write_text(
        '{"results": [{"t": "2026-06-21T00:00:00+02:00", "id": 7, "q": 4859.0, "name": "A4",'
        ' "at": {"lon": 2.378}}, {"t": "2026-06-21T00:00:00+02:00", "id": 8, "q": null, "name": ""}]}'
    )
    recording = read(parse_mapping(JSON_MAPPING), file)

    places = [(s.sensor, s.site_name, s.longitude, s.latitude) for s in recording.series]
    assert places == [("7", "A4", 2.378, 48.5), ("8", "", None, None)]
    assert (recording.value.tolist(), recording.missing.tolist()) == ([4859.0], [0, 1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"results": [}', "page.json:1: this is not JSON: Expecting value; check kind in"),
        ('{"result": []}', "page.json:1: holds no list of objects at 'results'; correct records"),
        ('{"results": [{"id": 7, "q": 1}]}', "page.json:1: '' is no time ISO 8601; correct the"),
        ('{"results": [{"t": "2026-06-21", "id": 7, "q": true}]}', "'2026-06-21' has no offset"),
    ],
)
def test_json_that_does_not_fit_is_refused_with_the_remedy(tmp_path: Path, content: str, said: str):
    file = tmp_path / "page.json"
    file.write_text(content)
    with pytest.raises(MistakesError) as caught:
        read(parse_mapping(JSON_MAPPING), file)

    assert said in str(caught.value)


def test_a_file_without_a_header_has_the_columns_that_the_mapping_names(tmp_path: Path):
    text = mapping_text(file='header = ["when", "a", "b"]')

    assert reading(tmp_path, "01/07/2024 10:00;1;2\n", text).value.tolist() == [1, 2]


def test_a_damaged_gzip_file_is_refused_with_the_remedy(tmp_path: Path):
    file = tmp_path / "file.csv.gz"
    whole = gzip.compress(b"when;a;b\n01/07/2024 10:00;1;2\n")
    for damaged in (b"when;a;b\n", whole[:-9], whole[:12] + b"\xff\xff" + whole[14:]):
        file.write_bytes(damaged)
        with pytest.raises(MistakesError, match="check encoding and compression in mapping"):
            read(parse_mapping(mapping_text()), file)
