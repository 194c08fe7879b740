"""The platform itself: ledger, lag, backlog, refusals, disk."""

from __future__ import annotations

from dashboards.grafana.growth import GROWTH
from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.rows import LABEL, TERRITORY, VALUE, label, number
from dashboards.grafana.text import text
from dashboards.grafana.usual import said

_GROUP = "beffroi-platform"
_PIPELINE, _FOOTPRINT = "beffroi-pipeline", "beffroi-footprint"
_SCOPE = {"scope": LABEL}
_ONE = "'beffroi' AS scope"

_LAG = f"""
SELECT {_ONE}, (extract(epoch FROM now() - p.newest_commit) / 60)::float8 AS value
  FROM reader.platform p
 WHERE p.newest_commit IS NOT NULL
   AND EXISTS (SELECT FROM reader.heard h
                WHERE h.in_service AND h.step_s BETWEEN 1 AND 900)
""".strip()

_BACKLOG = f"""
SELECT {_ONE},
       (extract(epoch FROM now() - least(p.oldest_mark, p.oldest_change)) / 60)::float8 AS value
  FROM reader.platform p
 WHERE p.marks_waiting + p.changes_waiting > 0
""".strip()

# Of everything that came: whole messages refused, and readings of those that could be read.
_SHARE = (
    "100.0 * sum(messages_refused + readings_refused)"
    " / nullif(sum(messages_refused + readings_decoded), 0)"
)
_STRANGERS = said(text("capteurs inconnus", "unknown sensors", "unbekannte Sensoren"))
"""What no registered sensor sent; only who reads everything is told."""

_REFUSALS = f"""
SELECT n.territory, coalesce(nullif(n.territory_name, ''), {_STRANGERS}) AS territory_name,
       n.share::float8 AS value
  FROM (SELECT territory, territory_name, {_SHARE} AS share,
               sum(messages_refused + readings_refused) AS refused
          FROM reader.ledger
         WHERE hour > now() - interval '3 hours'
         GROUP BY territory, territory_name) n
  LEFT JOIN (SELECT territory, {_SHARE} AS share
               FROM reader.ledger_hours
              WHERE hour > now() - interval '8 days' AND hour <= now() - interval '4 hours'
              GROUP BY territory) b USING (territory)
 WHERE n.refused >= 20 AND n.share > 3 * coalesce(b.share, 0)
""".strip()

PLATFORM: tuple[Rule, ...] = (
    Rule(
        uid="beffroi-ledger",
        group=_GROUP,
        title=text(
            "Le registre ne s'équilibre pas",
            "The ledger does not balance",
            "Die Bücher gehen nicht auf",
        ),
        summary=text(
            f"{number()} heure(s) de capteur où reçu ≠ stocké + doublon + refusé.",
            f"{number()} sensor-hours where received ≠ stored + duplicate + refused.",
            f"{number()} Sensorstunden, in denen empfangen ≠ gespeichert + doppelt + abgelehnt.",
        ),
        action=text(
            "Ne rien effacer ; lancer beffroi ledger --check, comparer l'heure en cause à une"
            " sauvegarde, et signaler le cas avec ce que la commande affiche.",
            "Delete nothing; run beffroi ledger --check, compare that hour with a backup, and"
            " report the case with what the command prints.",
            "Nichts löschen; beffroi ledger --check ausführen, die Stunde mit einer Sicherung"
            " vergleichen und den Fall mit der Ausgabe melden.",
        ),
        sql=f"SELECT {_ONE}, p.unbalanced::float8 AS value FROM reader.platform p"
        " WHERE p.unbalanced > 0",
        columns={**_SCOPE, **VALUE},
        above=0,
        page=_PIPELINE,
        severity="critical",
        every_s=60,
    ),
    Rule(
        uid="beffroi-lag",
        group=_GROUP,
        title=text(
            "Plus rien n'est enregistré",
            "Nothing is stored any more",
            "Nichts wird mehr gespeichert",
        ),
        summary=text(
            f"Aucun enregistrement depuis {number()} minutes, alors que des capteurs devraient"
            " parler.",
            f"Nothing stored for {number()} minutes, though sensors should speak.",
            f"Seit {number()} Minuten nichts gespeichert, obwohl Sensoren sprechen sollten.",
        ),
        action=text(
            "Regarder dans l'ordre le collecteur, le courtier MQTT, le réseau et le disque de la"
            " base : beffroi doctor. Le courtier garde les messages en attendant.",
            "Look at collector, MQTT broker, network and the database's disk, in this order:"
            " beffroi doctor. The broker keeps the messages meanwhile.",
            "Der Reihe nach Sammler, MQTT-Broker, Netz und Platte der Datenbank ansehen: beffroi"
            " doctor. Der Broker behält die Nachrichten so lange.",
        ),
        sql=_LAG,
        columns={**_SCOPE, **VALUE},
        above=15,
        page=_PIPELINE,
        severity="critical",
        every_s=60,
        for_s=120,
    ),
    Rule(
        uid="beffroi-collector",
        group=_GROUP,
        title=text("Collecteur disparu", "Collector gone", "Sammler verschwunden"),
        summary=text(
            f"{label('client_id')} : pas vu depuis {number()} minutes et jamais parti.",
            f"{label('client_id')}: not seen for {number()} minutes and never left.",
            f"{label('client_id')}: seit {number()} Minuten nicht gesehen und nie abgemeldet.",
        ),
        action=text(
            "Le relancer : le courtier garde sa part des messages jusqu'à l'expiration de sa"
            " session. S'il ne doit plus servir, vider et fermer sa session : beffroi collect"
            " --leave.",
            "Start it again: the broker keeps its share of the messages until its session expires."
            " If it is no longer needed, drain and end its session: beffroi collect --leave.",
            "Neu starten: der Broker behält seinen Anteil der Nachrichten, bis die Sitzung abläuft."
            " Wird er nicht mehr gebraucht, Sitzung leeren und beenden: beffroi collect --leave.",
        ),
        sql="SELECT client_id, (extract(epoch FROM now() - seen_at) / 60)::float8 AS value\n"
        "  FROM reader.collectors\n"
        " WHERE left_at IS NULL AND seen_at < now() - interval '2 minutes'",
        columns={"client_id": LABEL, **VALUE},
        above=2,
        page=_PIPELINE,
        every_s=60,
        for_s=120,
    ),
    Rule(
        uid="beffroi-backlog",
        group=_GROUP,
        title=text(
            "Les calculs prennent du retard",
            "Calculations fall behind",
            "Die Berechnungen geraten in Rückstand",
        ),
        summary=text(
            f"La plus ancienne demande de calcul attend depuis {number()} minutes.",
            f"The oldest request to compute has been waiting for {number()} minutes.",
            f"Die älteste Berechnungsanforderung wartet seit {number()} Minuten.",
        ),
        action=text(
            "Voir que le processeur tourne et ce que dit son journal (beffroi process) ; pendant"
            " l'import d'un historique, attendre. Les mesures brutes ne risquent rien.",
            "See that the processor runs and what its log says (beffroi process); while a history"
            " is imported, wait. Readings are safe.",
            "Prüfen, ob der Prozessor läuft und was sein Protokoll sagt (beffroi process); während"
            " eines Imports abwarten. Die Messwerte sind nicht in Gefahr.",
        ),
        sql=_BACKLOG,
        columns={**_SCOPE, **VALUE},
        above=30,
        page=_PIPELINE,
        every_s=60,
        for_s=600,
    ),
    Rule(
        uid="beffroi-processor",
        group=_GROUP,
        title=text(
            "Le processeur ne donne plus signe de vie",
            "The processor says nothing any more",
            "Der Prozessor meldet sich nicht mehr",
        ),
        summary=text(
            f"Dernier relevé du processeur il y a {number()} heures.",
            f"Last report of the processor {number()} hours ago.",
            f"Letzte Meldung des Prozessors vor {number()} Stunden.",
        ),
        action=text(
            "Relancer beffroi process et lire son journal ; les indicateurs et les alertes de"
            " capteurs ne sont plus tenus à jour d'ici là.",
            "Start beffroi process again and read its log; until then neither indicators nor"
            " alerts of sensors are kept up to date.",
            "beffroi process neu starten und das Protokoll lesen; bis dahin werden weder"
            " Kennzahlen noch Sensorwarnungen aktualisiert.",
        ),
        sql=f"SELECT {_ONE},\n"
        "       (extract(epoch FROM now() - p.sampled_hour) / 3600)::float8 AS value\n"
        "  FROM reader.platform p WHERE p.sampled_hour IS NOT NULL",
        columns={**_SCOPE, **VALUE},
        above=3,
        page=_FOOTPRINT,
        severity="critical",
        every_s=60,
    ),
    Rule(
        uid="beffroi-refusals",
        group=_GROUP,
        title=text(
            "Bond de la part refusée",
            "Jump of the share refused",
            "Sprung beim abgelehnten Anteil",
        ),
        summary=text(
            f"{label('territory_name')} : {number()} % de ce qui arrive est refusé, plus de trois"
            " fois l'ordinaire.",
            f"{label('territory_name')}: {number()} % of what comes is refused, more than three"
            " times the usual.",
            f"{label('territory_name')}: {number()} % des Eingehenden werden abgelehnt, mehr als"
            " das Dreifache des Üblichen.",
        ),
        action=text(
            "Voir les motifs sur la page du flux, puis beffroi refusals list ; corriger"
            " l'inscription ou l'expéditeur, et rejouer ce qui a été gardé (7 jours d'ordinaire) :"
            " beffroi refusals replay.",
            "See the reasons on the pipeline page, then beffroi refusals list; correct the"
            " registration or the sender, and replay what was kept (usually 7 days): beffroi"
            " refusals replay.",
            "Die Gründe auf der Seite des Datenflusses ansehen, dann beffroi refusals list;"
            " Anmeldung oder Absender berichtigen und das Aufbewahrte (meist 7 Tage) neu"
            " verarbeiten: beffroi refusals replay.",
        ),
        sql=_REFUSALS,
        columns={**TERRITORY, **VALUE},
        above=5,
        page=_PIPELINE,
        every_s=60,
        for_s=300,
    ),
    Rule(
        uid="beffroi-disk",
        group=_GROUP,
        title=text("Disque presque plein", "Disk almost full", "Platte fast voll"),
        summary=text(
            f"Le disque de la base est rempli à {number()} %.",
            f"The database's disk is {number()} % full.",
            f"Die Platte der Datenbank ist zu {number()} % voll.",
        ),
        action=text(
            "Libérer de la place ou agrandir le disque aujourd'hui ; voir ce qui occupe la base sur"
            " la page de l'empreinte. Disque plein, plus rien n'est enregistré.",
            "Free some room or enlarge the disk today; see on the footprint page what takes the"
            " room. On a full disk nothing is stored any more.",
            "Heute Platz schaffen oder die Platte vergrößern; auf der Seite des Fußabdrucks"
            " ansehen, was ihn belegt. Auf einer vollen Platte wird nichts mehr gespeichert.",
        ),
        sql=f"SELECT {_ONE},\n"
        "       (100 - 100.0 * p.disk_free_bytes / p.disk_bytes)::float8 AS value\n"
        "  FROM reader.platform p\n"
        " WHERE p.disk_bytes > 0 AND p.sampled_hour > now() - interval '6 hours'",
        columns={**_SCOPE, **VALUE},
        above=90,
        page=_FOOTPRINT,
        severity="critical",
        every_s=60,
    ),
    Rule(
        uid="beffroi-disk-soon",
        group=_GROUP,
        title=text(
            "Disque plein dans moins de 14 jours",
            "Disk full within 14 days",
            "Platte in weniger als 14 Tagen voll",
        ),
        summary=text(
            f"Au rythme des 14 derniers jours, il faudra {number()} % de la place libre en 14"
            " jours.",
            f"At the pace of the last 14 days, 14 more days need {number()} % of what is free.",
            f"Beim Tempo der letzten 14 Tage brauchen 14 weitere Tage {number()} % des freien"
            " Platzes.",
        ),
        action=text(
            "Prévoir de la place cette semaine : agrandir le disque, ou réduire la durée de"
            " conservation des mesures brutes ; voir sur la page de l'empreinte ce qui grossit.",
            "Plan for room this week: enlarge the disk, or keep readings for a shorter time; see on"
            " the footprint page what grows.",
            "Diese Woche Platz einplanen: Platte vergrößern oder Messwerte kürzer aufbewahren; auf"
            " der Seite des Fußabdrucks ansehen, was wächst.",
        ),
        sql=f"SELECT {_ONE}, (100 * 14 * g.per_day / p.disk_free_bytes)::float8 AS value\n"
        f"  FROM reader.platform p\n CROSS JOIN ({GROWTH}) g\n"
        " WHERE p.disk_free_bytes > 0 AND g.per_day > 0\n"
        "   AND p.sampled_hour > now() - interval '6 hours'",
        columns={**_SCOPE, **VALUE},
        above=100,
        page=_FOOTPRINT,
        every_s=60,
        for_s=3600,
    ),
)
