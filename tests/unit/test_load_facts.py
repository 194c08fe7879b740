"""What city.toml says of meters: a bad value is told with its line and a remedy."""

from __future__ import annotations

import pytest

from storage.city import parse
from storage.facts.energy import EnergyFacts
from storage.mistakes import MistakesError
from tests.essai import ESSAI

CSV = "territory,site,sensor,metric,field,unit,step_s,stamp\n99001,mairie,m1,energy_import,x,,600,start\n"
SOUND = """
[energy]
unoccupied = ["sun"]
night = "21:00-07:00"
base_load = "percentile"
integration = "trapezoid"
[[energy.replacement]]
sensor = "m1"
field = "x"
at = 2026-03-29T10:00:00+02:00
closing = 1530.0
opening = 12.0
[[energy.demand]]
meters = ["m1"]
window_min = 10
curve = true
[[energy.tariff]]
name = "HP/HC"
meters = ["m*"]
from = 2026-01-01
periods = [
  {name = "HC", class = "offpeak", hours = ["22:30-06:30"], price = 0.2},
  {name = "HP", class = "full", price = 0.25},
]
[[energy.lighting]]
meters = ["cab-*"]
power_kw = 3.2
dimming = [{hours = "23:00-05:00", factor = 0.5}]
"""


def test_everything_that_can_be_said_is_read_and_survives_the_database():
    facts = parse(ESSAI + SOUND, CSV).facts.energy

    assert (facts.demand[0].window_min, facts.tariff[0].since.year) == (10, 2026)
    assert EnergyFacts.model_validate_json(facts.model_dump_json()) == facts


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("+02:00", "", "may be any of two hours; write its offset from UTC"),
        ('"21:00-07:00"', '"21-7"', "'21' is no time of a day; write one like '22:30'"),
        ('"21:00-07:00"', '"21:00"', "'21:00' is no stretch of a day; write one like"),
        ('"21:00-07:00"', '"07:00-07:00"', "'07:00-07:00' lasts no time"),
        ('"22:30-06:30"', '"22:61-06:30"', "'22:61' is no time of a day"),
        (', class = "full"', ', class = "full", hours = ["06:00-22:00"]', "the last period, 'HP', takes the rest"),
        (', hours = ["22:30-06:30"]', "", "period 'HC' always holds, so none after it ever does"),
        ("from = 2026-01-01", "from = 2026-01-01\nto = 2025-01-01", "from 2026-01-01 to 2025-01-01 never holds"),
        (', price = 0.2}', ', season = ["11-31", "03-31"]}', "'11-31' is no day of a year; write month-day"),
        ("opening = 12.0", 'opening = 12.0\n[[energy.replacement]]\nsensor = "m1"\nfield = "x"\nat = 2026-03-29T10:00:00+02:00\nclosing = 1.0\nopening = 2.0', "m1/x at 2026-03-29T10:00:00+02:00 stands there twice"),
        ("[[energy.lighting]]", '[[energy.tariff]]\nname = "B"\nmeters = ["m*"]\nfrom = 2026-06-01\nperiods = [{name = "x", class = "full"}]\n[[energy.lighting]]', "'HP/HC' and 'B' hold for 'm*' at once; end the older with a 'to'"),
        ("from = 2026-01-01", "from = 0001-01-01", "0001-01-01 is no day of 1900 to 2199; where something held always"),
        ("at = 2026-03-29", "at = 9999-12-31", "9999-12-31 is no day of 1900 to 2199"),
        ('meters = ["cab-*"]', 'meters = "cab-*"', "energy.lighting.meters: is a list; write what it holds within [ ]"),
        ('meters = ["cab-*"]', "meters = []", "energy.lighting.meters: is empty; name one at least"),
        ("window_min = 10", "window_min = 20", "window_min"),
        ("power_kw = 3.2", "power_kw = 0", "power_kw"),
    ],
)  # fmt: skip
def test_a_bad_value_says_what_is_wrong_and_what_to_write(old: str, new: str, said: str):
    assert SOUND.count(old) == 1
    with pytest.raises(MistakesError) as told:
        parse(ESSAI + SOUND.replace(old, new), CSV)

    assert said in str(told.value)
