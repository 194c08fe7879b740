"""A strict Grafana: built from the description of 11.4, and without what 13.0 no longer has.

It refuses unknown paths, query parameters, headers, fields and types, keeps what it is sent per
organisation, and runs queries on the real database as the role of the data source. Whatever it
refused for being no part of the API is listed in `violations`; the fixtures ask for none.
"""

import base64
import json
import re
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest

from tests.conftest import SHARED
from tests.grafana.answers import Answers, Organisation, Refused

FOLDER = SHARED / "grafana"
USER, PASSWORD, TOKEN = "admin", "stub-secret", "glsa_stub"
ANYWHERE = ("/health", "/orgs", "/user", "/users")
# Where the description is wrong about what servers do.
EXCEPTIONS = {
    "PatchPrefsCmd": {"timezone": "names utc and browser only; every IANA name is taken"},
    "queryMetricsWithExpressions": "answers in lower case: results, frames, error",
    "getDashboardVersionsByUID": "12 and later wrap the list into an object",
}


def description():
    """Grafana's own description, or a skip that says what is missing."""
    if not (FOLDER / "openapi-11.4.json").is_file():
        pytest.skip("Grafana's API description is not at hand (../shared/grafana)")
    return json.loads((FOLDER / "openapi-11.4.json").read_text("utf-8"))


def operations(name):
    """`METHOD /path/{}` of one list of operations."""
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return {re.sub(r"\{\w+\}", "{}", line) for line in lines if line and not line.startswith("#")}


class Stub(Answers):
    """The server; `url` is where it listens."""

    def __init__(self, version="11.4.0", tls=None):
        self.spec = description()
        self.newer = operations("operations-13.0.txt")
        self.removed = operations("operations-removed-11.4-to-13.0.txt")
        self.definitions = {
            name: self.strict(one, name) for name, one in self.spec["definitions"].items()
        }
        self.version = version
        self.organisations = {1: Organisation(1, "Main Org.")}
        self.entered = {1}
        self.server_administrator = True
        self.token_organisation = 1
        self.violations, self.calls, self.faults = [], [], []
        self.lock = threading.RLock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # one packet per answer; two would wait for each other

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                stub.handle(self, self.rfile.read(length) if length else b"")

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.configure_cert(context)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def fail(self, asked, status, body="broken on purpose", times=1):
        """Answer the next requests that match `METHOD /path` so; status 0: hang up."""
        self.faults.append([re.compile(asked), status, body, times])

    def written(self):
        """Requests that change something."""
        return [
            call for call in self.calls
            if not call.startswith("GET ") and not call.startswith("POST /ds/query")
        ]  # fmt: skip

    def handle(self, request, raw):
        parts = urlsplit(request.path)
        asked = f"{request.command} {parts.path.removeprefix('/api')}"
        self.calls.append(asked)
        for fault in self.faults:
            if fault[3] and fault[0].fullmatch(asked):
                fault[3] -= 1
                if fault[1] == 0:
                    time.sleep(fault[2])
                    request.close_connection = True
                    return
                self.send(request, fault[1], fault[2])
                return
        try:
            with self.lock:
                status, body = self.answer(request, parts, raw)
        except Refused as refused:
            status, body = refused.status, refused.body
        except KeyError as error:
            status, body = 404, {"message": f"{error} not found"}
        except Exception as error:
            self.violations.append(f"{asked}: {error!r}")
            status, body = 500, {"message": repr(error)}
        self.send(request, status, body)

    def send(self, request, status, body):
        text = isinstance(body, str)
        data = b"" if status == 204 else (body if text else json.dumps(body)).encode()
        request.send_response(status)
        request.send_header("Content-Type", "text/html" if text else "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def violated(self, what):
        self.violations.append(what)
        raise Refused(400, f"strict: {what}")

    def answer(self, request, parts, raw):
        if not parts.path.startswith("/api/"):
            self.violated(f"{parts.path} is not below /api")
        path = parts.path.removeprefix("/api")
        template, variables = self.match(request.command, path)
        operation = self.spec["paths"][template][request.command.lower()]
        parameters = operation.get("parameters", []) + self.spec["paths"][template].get(
            "parameters", []
        )
        self.look_at_query(path, parameters, parse_qs(parts.query, keep_blank_values=True))
        body = self.look_at_body(f"{request.command} {path}", parameters, request, raw)
        self.look_at_headers(path, parameters, request.headers)
        if path == "/health":
            return 200, {"database": "ok", "version": self.version, "commit": "stub"}
        organisation = self.organisation(request.headers, path)
        name = operation["operationId"]
        answer = getattr(self, name)(organisation, body, parse_qs(parts.query), **variables)
        status, told = answer if isinstance(answer, tuple) else (200, answer)
        self.look_at_answer(name, operation, status, told)
        return status, told

    def match(self, method, path):
        """The described path, fewest variables first; in 11.4 and still in 13.0."""
        segments = path.strip("/").split("/")
        found = []
        for template in self.spec["paths"]:
            names = template.strip("/").split("/")
            if len(names) == len(segments) and all(
                name.startswith("{") or name == one
                for name, one in zip(names, segments, strict=True)
            ):
                found.append((template.count("{"), template, names))
        for _, template, names in sorted(found):
            if method.lower() not in self.spec["paths"][template]:
                continue
            plain = f"{method} " + re.sub(r"\{\w+\}", "{}", template)
            if plain in self.removed:
                self.violated(f"{plain} is gone in 13.0")
            if plain not in self.newer and template != "/health":
                self.violated(f"{plain} is not in 13.0")
            return template, {
                name.strip("{}"): unquote(one)
                for name, one in zip(names, segments, strict=True)
                if name.startswith("{")
            }
        self.violated(f"{method} {path} is in no description")
        raise AssertionError

    def look_at_query(self, path, parameters, given):
        known = {one["name"]: one for one in parameters if one.get("in") == "query"}
        for name, values in given.items():
            if name not in known:
                self.violated(f"{path}: unknown query parameter {name}")
            if known[name]["type"] == "integer" and not all(v.isdecimal() for v in values):
                self.violated(f"{path}: {name} must be a whole number")
            if known[name]["type"] != "array" and len(values) > 1:
                self.violated(f"{path}: {name} twice")

    def look_at_headers(self, path, parameters, headers):
        known = {one["name"].lower() for one in parameters if one.get("in") == "header"}
        known |= {"x-grafana-org-id", "x-grafana-nocache"}
        for name in headers:
            if name.lower().startswith("x-") and name.lower() not in known:
                self.violated(f"{path}: unknown header {name}")
        # Without it a server tells of the data source it knew 5 s ago.
        fresh = headers.get("X-Grafana-NoCache") == "true"
        if path.startswith("/datasources/") and path.endswith("/health") and not fresh:
            self.violated(f"{path}: not asked of the data source as it is now")

    def look_at_body(self, asked, parameters, request, raw):
        wanted = next((one for one in parameters if one.get("in") == "body"), None)
        if wanted is None:
            if raw:
                self.violated(f"{asked} takes no body")
            return None
        if request.headers.get("Content-Type", "").split(";")[0] != "application/json":
            self.violated(f"{asked}: the body must be JSON")
        body = json.loads(raw)
        schema = self.strict(wanted["schema"]) | {"definitions": self.definitions}
        for error in jsonschema.Draft4Validator(schema).iter_errors(body):
            where = "/".join(map(str, error.absolute_path))
            self.violated(f"{asked}: {where}: {error.message[:300]}")
        return body

    def strict(self, schema, name=""):
        """The schema, refusing whatever it does not name; lists of words stay lists of words."""
        made = dict(schema)
        if "properties" in made:
            made["properties"] = {
                key: self.strict(one) for key, one in made["properties"].items()
                if not one.get("readOnly") or key == "updated"
            }  # fmt: skip
            for key in EXCEPTIONS.get(name, {}):
                made["properties"][key] = {"type": made["properties"][key]["type"]}
            made.setdefault("additionalProperties", False)
        for key in ("items", "additionalProperties"):
            if isinstance(made.get(key), dict):
                made[key] = self.strict(made[key])
        return made

    def look_at_answer(self, name, operation, status, told):
        """Our own answers keep to the description too, so that nobody relies on more."""
        response = operation["responses"].get(str(status), {})
        if "$ref" in response:
            response = self.spec["responses"][response["$ref"].rsplit("/", 1)[1]]
        if name in EXCEPTIONS or "schema" not in response:
            return
        schema = response["schema"] | {"definitions": self.spec["definitions"]}
        jsonschema.Draft4Validator(schema).validate(told)

    def organisation(self, headers, path):
        said = headers.get("Authorization", "")
        number = headers.get("X-Grafana-Org-Id")
        if said == f"Bearer {TOKEN}":
            if path.startswith("/orgs"):
                raise Refused(403, "You'll need additional permissions: orgs:read")
            return self.organisations[self.token_organisation]
        if said != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            raise Refused(401, "Invalid username or password")
        if path.startswith("/orgs") and not self.server_administrator:
            raise Refused(403, "You'll need additional permissions: orgs:read")
        if path == "/org" or not path.startswith(ANYWHERE):
            if number is None:
                self.violated(f"{path} without X-Grafana-Org-Id")
            if int(number) not in self.entered:
                raise Refused(403, "You'll need additional permissions to perform this action")
            return self.organisations[int(number)]
        return None
