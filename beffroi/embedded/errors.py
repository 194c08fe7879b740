"""The one way in which the embedded stack says that it cannot go on."""

OTHER_WAYS = (
    "Or use servers you already have: run `docker compose up`, or set PGHOST, PGPORT, PGUSER, "
    "PGDATABASE, PGPASSFILE and BEFFROI_MQTT_URL."
)


class EmbeddedError(Exception):
    """Something on this machine stops the embedded servers; the text says what to do about it."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(f"{what}\n  Why: {why}\n  What to do: {remedy}")
        self.what = what
        self.why = why
        self.remedy = remedy
