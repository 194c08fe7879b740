"""The expander of Grafana's macros is held to recorded vectors."""

import json
import re
from datetime import datetime

import pytest

from tests.grafana.macros import expand


def test_the_expander_follows_the_recorded_vectors(shared):
    vectors = json.loads((shared / "grafana" / "postgres-macro-vectors.json").read_text("utf-8"))
    for vector in vectors:
        given = (
            vector["sql"],
            datetime.fromisoformat(vector["from"]),
            datetime.fromisoformat(vector["to"]),
            vector["interval_s"],
            vector["timescaledb"],
        )
        if "error" in vector:
            with pytest.raises(ValueError, match=re.escape(vector["error"])):
                expand(*given)
        else:
            assert expand(*given) == vector["expanded"]
