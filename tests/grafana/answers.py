"""What a Grafana answers, operation by operation, from what it was sent; for the stub."""

import datetime
import json

import psycopg

from tests.grafana.macros import expand


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(status, body)
        self.status = status
        self.body = body if isinstance(body, dict) else {"message": body}


class Organisation:
    def __init__(self, number, name):
        self.number, self.name = number, name
        self.folders, self.sources, self.secrets = {}, {}, {}
        self.dashboards, self.rules, self.intervals = {}, {}, {}
        self.preferences = {}


class Answers:
    """Methods are named like the operations of Grafana's description."""

    # Organisations

    def searchOrgs(self, *_):  # noqa: N802
        return [{"id": one.number, "name": one.name} for one in self.organisations.values()]

    def getSignedInUserOrgList(self, *_):  # noqa: N802
        return [
            {"orgId": number, "name": self.organisations[number].name, "role": "Admin"}
            for number in self.entered
        ]

    def getCurrentOrg(self, organisation, *_):  # noqa: N802
        return {"id": organisation.number, "name": organisation.name, "address": {}}

    def createOrg(self, _, body, *__):  # noqa: N802
        if body["name"] in [one.name for one in self.organisations.values()]:
            raise Refused(409, "Organization name taken")
        number = max(self.organisations) + 1
        self.organisations[number] = Organisation(number, body["name"])
        self.entered.add(number)
        return {"orgId": number, "message": "Organization created"}

    def updateOrg(self, _, body, __, org_id):  # noqa: N802
        self.organisations[int(org_id)].name = body["name"]
        return {"message": "Organization updated"}

    def getOrgPreferences(self, organisation, *_):  # noqa: N802
        return organisation.preferences

    def patchOrgPreferences(self, organisation, body, *_):  # noqa: N802
        if (uid := body.get("homeDashboardUID")) and uid not in organisation.dashboards:
            raise Refused(404, "Dashboard not found")
        organisation.preferences |= body
        return {"message": "Preferences updated"}

    # Folders

    def getFolderByUID(self, organisation, body, query, folder_uid):  # noqa: N802
        if folder_uid not in organisation.folders:
            raise Refused(404, {"message": "folder not found", "status": "not-found"})
        return organisation.folders[folder_uid]

    def createFolder(self, organisation, body, *_):  # noqa: N802
        if body["uid"] in organisation.dashboards:
            raise Refused(409, "a dashboard has this uid")
        if body["uid"] in organisation.folders:
            raise Refused(409, "a folder with this uid exists")
        made = {"uid": body["uid"], "title": body["title"], "version": 1}
        organisation.folders[body["uid"]] = made
        return made

    def updateFolder(self, organisation, body, query, folder_uid):  # noqa: N802
        folder = organisation.folders[folder_uid]
        if body.get("version") != folder["version"] and not body.get("overwrite"):
            raise Refused(412, "the folder has been changed by someone else")
        folder |= {"title": body["title"], "version": folder["version"] + 1}
        return folder

    # Data sources

    def getDataSourceByUID(self, organisation, body, query, uid):  # noqa: N802
        if uid not in organisation.sources:
            raise Refused(404, "Data source not found")
        return organisation.sources[uid]

    def addDataSource(self, organisation, body, *_):  # noqa: N802
        if body["name"] in [one["name"] for one in organisation.sources.values()]:
            raise Refused(409, "data source with the same name already exists")
        made = self.stored(organisation, body) | {"version": 1, "readOnly": False}
        organisation.sources[body["uid"]] = made
        return {"id": 1, "name": body["name"], "message": "Datasource added", "datasource": made}

    def updateDataSourceByUID(self, organisation, body, query, uid):  # noqa: N802
        there = organisation.sources[uid]
        if there["readOnly"]:
            raise Refused(403, "Cannot update read-only data source")
        if body.get("version", there["version"]) != there["version"]:
            raise Refused(409, "Datasource has already been updated by someone else.")
        made = self.stored(organisation, body | {"uid": uid})
        made |= {"version": there["version"] + 1, "readOnly": False}
        organisation.sources[uid] = made
        return {"id": 1, "name": body["name"], "message": "Datasource updated", "datasource": made}

    def stored(self, organisation, body):
        made = json.loads(json.dumps(body))
        secrets = organisation.secrets.setdefault(body["uid"], {})
        secrets |= made.pop("secureJsonData", {})
        return made | {
            "id": 1, "orgId": organisation.number, "database": "", "basicAuth": False,
            "secureJsonFields": dict.fromkeys(secrets, True),
        }  # fmt: skip

    def checkDatasourceHealthWithUID(self, organisation, body, query, uid):  # noqa: N802
        try:
            self.connect(organisation, uid).close()
        except psycopg.OperationalError as error:
            raise Refused(400, {"status": "ERROR", "message": str(error)}) from error
        return {"message": "Database Connection OK", "status": "OK"}

    def connect(self, organisation, uid):
        source = organisation.sources[uid]
        host, _, port = source["url"].rpartition(":")
        return psycopg.connect(
            host=host.strip("[]"), port=port, user=source["user"],
            password=organisation.secrets[uid].get("password", ""),
            dbname=source["jsonData"]["database"], sslmode=source["jsonData"]["sslmode"],
            connect_timeout=5,
        )  # fmt: skip

    def deleteDataSourceByUID(self, organisation, body, query, uid):  # noqa: N802
        del organisation.sources[uid], organisation.secrets[uid]
        return {"message": "Data source deleted", "id": 1}

    # Dashboards

    def getDashboardByUID(self, organisation, body, query, uid):  # noqa: N802
        if uid not in organisation.dashboards:
            raise Refused(404, {"message": "Dashboard not found", "status": "not-found"})
        there = organisation.dashboards[uid]
        version = len(there["versions"])
        return {
            "meta": {"folderUid": there["folder"], "version": version,
                     "provisioned": there["provisioned"]},
            "dashboard": there["versions"][-1]["data"] | {"id": 7, "version": version},
        }  # fmt: skip

    def getDashboardVersionByUID(self, organisation, body, query, uid, DashboardVersionID):  # noqa: N802, N803
        number = int(DashboardVersionID)
        return organisation.dashboards[uid]["versions"][number - 1] | {
            "version": number, "id": number, "parentVersion": number - 1,
        }  # fmt: skip

    def postDashboard(self, organisation, body, *_):  # noqa: N802
        content = dict(body["dashboard"])
        uid, version = content["uid"], content.pop("version", None)
        there = organisation.dashboards.get(uid)
        if body.get("folderUid") and body["folderUid"] not in organisation.folders:
            raise Refused(404, "Folder not found")
        if there and there["provisioned"]:
            raise Refused(400, "Cannot save provisioned dashboard")
        if there and not body.get("overwrite") and version != len(there["versions"]):
            raise Refused(412, {"message": "The dashboard has been changed by someone else",
                                "status": "version-mismatch"})  # fmt: skip
        there = organisation.dashboards.setdefault(uid, {"versions": [], "provisioned": False})
        there["folder"] = body.get("folderUid", "")
        there["versions"].append({"data": content, "message": body.get("message", "")})
        return {"status": "success", "title": content["title"], "version": len(there["versions"]),
                "id": 7, "uid": uid, "url": f"/d/{uid}"}  # fmt: skip

    def deleteDashboardByUID(self, organisation, body, query, uid):  # noqa: N802
        gone = organisation.dashboards.pop(uid)["versions"][-1]["data"]["title"]
        return {"title": gone, "message": f"Dashboard {gone} deleted", "uid": uid}

    def search(self, organisation, body, query):
        return [
            {"uid": uid, "title": one["versions"][-1]["data"]["title"], "type": "dash-db",
             "tags": one["versions"][-1]["data"].get("tags", []), "folderUid": one["folder"]}
            for uid, one in organisation.dashboards.items()
            if one["folder"] in query["folderUIDs"]
            and set(query["tag"]) <= set(one["versions"][-1]["data"].get("tags", []))
        ]  # fmt: skip

    # Alert rules

    def RouteGetAlertRules(self, organisation, *_):  # noqa: N802
        return list(organisation.rules.values())

    def RouteGetAlertRule(self, organisation, body, query, UID):  # noqa: N802, N803
        return organisation.rules[UID]

    def RoutePostAlertRule(self, organisation, body, *_):  # noqa: N802
        if body["uid"] in organisation.rules:
            raise Refused(409, "rule with this uid exists")
        for one in organisation.rules.values():
            if (one["folderUID"], one["title"]) == (body["folderUID"], body["title"]):
                raise Refused(400, "a rule with this title exists in the folder")
        return 201, self.keep_rule(organisation, body)

    def RoutePutAlertRule(self, organisation, body, query, UID):  # noqa: N802, N803
        there = organisation.rules[UID]
        if there["provenance"] == "file":
            raise Refused(409, "cannot change provenance from 'file' to 'api'")
        return self.keep_rule(organisation, body | {"uid": UID})

    def RouteDeleteAlertRule(self, organisation, body, query, UID):  # noqa: N802, N803
        del organisation.rules[UID]
        return 204, None

    def keep_rule(self, organisation, body):
        if body["folderUID"] not in organisation.folders:
            raise Refused(400, "folder does not exist")
        if body["orgID"] != organisation.number:
            raise Refused(400, "orgID is another")
        made = json.loads(json.dumps(body))
        for query in made["data"]:
            query["model"] = {"intervalMs": 1000, "maxDataPoints": 43200} | query["model"]
        made |= {"provenance": "api", "id": 1}
        organisation.rules[made["uid"]] = made
        organisation.intervals.setdefault((made["folderUID"], made["ruleGroup"]), 60)
        return made

    def RouteGetAlertRuleGroup(self, organisation, body, query, FolderUID, Group):  # noqa: N802, N803
        rules = [
            one for one in organisation.rules.values()
            if (one["folderUID"], one["ruleGroup"]) == (FolderUID, Group)
        ]  # fmt: skip
        if not rules:
            raise Refused(404, {})
        return {"title": Group, "folderUid": FolderUID, "rules": rules,
                "interval": organisation.intervals[FolderUID, Group]}  # fmt: skip

    def RoutePutAlertRuleGroup(self, organisation, body, query, FolderUID, Group):  # noqa: N802, N803
        if body["interval"] % 10:
            raise Refused(400, "interval must be a multiple of the base interval")
        kept = {one["uid"] for one in body["rules"]}
        for uid, one in list(organisation.rules.items()):
            if (one["folderUID"], one["ruleGroup"]) == (FolderUID, Group) and uid not in kept:
                del organisation.rules[uid]
        for one in body["rules"]:
            self.keep_rule(organisation, one)
        organisation.intervals[FolderUID, Group] = body["interval"]
        return body

    # Queries

    def queryMetricsWithExpressions(self, organisation, body, *_):  # noqa: N802
        start, end = (
            datetime.datetime.fromtimestamp(int(body[name]) / 1000, datetime.UTC)
            for name in ("from", "to")
        )
        results = {}
        for query in body["queries"]:
            uid = query["datasource"]["uid"]
            try:
                if uid == "__expr__":
                    found = self.threshold(query, results)
                else:
                    found = self.run(organisation, uid, query, start, end)
                results[query["refId"]] = {"status": 200, "frames": [found]}
            except (psycopg.Error, ValueError, KeyError) as error:
                said = f"db query error: {error}"
                results[query["refId"]] = {"status": 400, "error": said, "frames": []}
        status = 200 if all("error" not in one for one in results.values()) else 400
        return status, {"results": results}

    def run(self, organisation, uid, query, start, end):
        sql = expand(query["rawSql"], start, end, query.get("intervalMs", 60_000) / 1000)
        with self.connect(organisation, uid) as connection:
            cursor = connection.execute(sql.encode())
            names = [one.name for one in cursor.description]
            rows = cursor.fetchall()
            connection.rollback()
        if query["format"] == "time_series":
            if rows and "time" not in names:
                raise ValueError("db has no time column")
            names, rows = wide(names, rows)
        columns = list(zip(*rows, strict=True)) if rows else []
        return {
            "schema": {"fields": [{"name": name} for name in names] if rows else []},
            "data": {"values": [[plain(value) for value in column] for column in columns]},
        }

    def threshold(self, query, results):
        asked = results[query["expression"]]
        if "error" in asked:
            raise ValueError("failed to execute conditions: its query failed")
        frame = asked["frames"][0]
        values = dict(zip([one["name"] for one in frame["schema"]["fields"]],
                          frame["data"]["values"], strict=True))  # fmt: skip
        numbers = [
            n for n, column in values.items() if all(isinstance(v, int | float) for v in column)
        ]
        if values and len(numbers) != 1:
            raise ValueError(f"input data must be one number and text, got {numbers}")
        labels = list(zip(*(values[n] for n in values if n not in numbers), strict=True))
        if len(labels) != len(set(labels)):
            raise ValueError("frame cannot uniquely be identified by its labels")
        limit = query["conditions"][0]["evaluator"]["params"][0]
        firing = [int(v > limit) for v in values[numbers[0]]] if values else []
        return {"schema": {"fields": [{"name": query["refId"]}]}, "data": {"values": [firing]}}


def wide(names, rows):
    """One column per value of `metric`, as a time series is answered."""
    if "metric" not in names:
        return names, rows
    at = {name: names.index(name) for name in ("time", "metric", "value")}
    metrics = sorted({row[at["metric"]] for row in rows})
    table = {}
    for row in rows:
        table.setdefault(row[at["time"]], {})[row[at["metric"]]] = row[at["value"]]
    return ["Time", *metrics], [[t, *(found.get(m) for m in metrics)] for t, found in table.items()]


def plain(value):
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, datetime.date | datetime.timedelta):
        return str(value)
    return float(value) if type(value).__name__ == "Decimal" else value
