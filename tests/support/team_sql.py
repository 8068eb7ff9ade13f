"""What reports on an organization must say, by plain SQL over the raw rows of its database (FF-48 to FF-50, X-16).

Nothing here knows of the server's sums. The local days and hours come from Python's zone database.
"""
import datetime as dt
import sqlite3
from zoneinfo import ZoneInfo

from .days import UTC, day, days_of, local_date

QUARTER = 900

# The spans of ended focus sessions in the organization, of one project where asked, that touch [:from, :to). :slack is
# how much earlier their sessions may have begun.
SPANS = """
SELECT s.user_id, t.id AS task_id, MAX(p.started_at, :from) AS a, MIN(p.ended_at, :to) AS b
  FROM memberships m
  JOIN pomodoro_sessions s ON s.user_id = m.user_id AND s.started_at < :to AND s.started_at >= :from - :slack
  JOIN tasks t ON t.id = s.task_id AND t.organization_id = m.organization_id
  JOIN session_spans p ON p.session_id = s.id AND p.started_at < :to AND p.ended_at > :from
 WHERE m.organization_id = :org AND s.ended_at IS NOT NULL AND (:project IS NULL OR t.project_id = :project)"""
FOCUS = "SELECT user_id, SUM(b - a) FROM (" + SPANS + ") GROUP BY user_id"
BY_HOUR = "SELECT user_id, h.day, h.hour, SUM(MIN(b, h.until) - MAX(a, h.since)) FROM (" + SPANS + """) x
  JOIN temp.hours h ON h.since < x.b AND h.until > x.a AND h.since > x.a - 7201 GROUP BY 1, 2, 3"""
TASKS_OF = """
SELECT t.user_id, t.id, t.created_at, t.started_at, t.ended_at FROM tasks t
 WHERE t.organization_id = :org AND (:project IS NULL OR t.project_id = :project) AND %s >= :from AND %s < :to"""
TOUCHED = " UNION ".join("SELECT user_id, id FROM (%s)" % (TASKS_OF % ("t." + c, "t." + c))
                         for c in ("created_at", "started_at", "ended_at"))
OF_RANGE = TOUCHED + " UNION SELECT user_id, task_id FROM (" + SPANS + ")"
TASKS = "SELECT user_id, COUNT(*) FROM (" + OF_RANGE + ") GROUP BY user_id"
ALL_TASKS = "SELECT COUNT(DISTINCT id) FROM (" + OF_RANGE + ")"
COMPLETED = "SELECT user_id, COUNT(*) FROM (" + TASKS_OF % ("t.ended_at", "t.ended_at") + ") GROUP BY user_id"
COMPLETIONS = "SELECT ended_at FROM (" + TASKS_OF % ("t.ended_at", "t.ended_at") + ")"
OPEN = "SELECT COUNT(DISTINCT x.id) FROM (" + OF_RANGE + """) x
  JOIN tasks t ON t.id = x.id WHERE t.status IN ('in_progress', 'paused')"""
POMODOROS = """
SELECT s.ended_at FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
 WHERE s.user_id = :user AND t.organization_id = :org AND s.completed = 1 AND s.ended_at IS NOT NULL"""


class TeamSql:
    def __init__(self, path, org, slack=10 ** 9):
        self.db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        self.db.execute("PRAGMA temp_store = memory")
        self.db.execute("CREATE TEMP TABLE hours (day TEXT, hour INTEGER, since INTEGER, until INTEGER)")
        self.db.execute("CREATE INDEX temp.hours_since ON hours (since, until)")
        self.org, self.slack, self.filled = org, slack, None

    def close(self):
        self.db.close()

    def fill_hours(self, zone, first, last):
        """One row per stretch of a local hour; an hour that clocks repeat may have two."""
        if self.filled == (zone, first, last):
            return
        rows, info = [], ZoneInfo(zone)
        for d in days_of(first, last):
            t, end = day(zone, d)
            while t < end:
                hour = dt.datetime.fromtimestamp(t, UTC).astimezone(info).hour
                if rows and rows[-1][:2] == [str(d), hour]:
                    rows[-1][3] = t + QUARTER
                else:
                    rows.append([str(d), hour, t, t + QUARTER])
                t += QUARTER
        self.db.execute("DELETE FROM hours")
        self.db.executemany("INSERT INTO hours VALUES (?, ?, ?, ?)", rows)
        self.filled = (zone, first, last)

    def report(self, zone, first, last, project=None):
        """{focus, completed, tasks: by user; all_tasks, open; pairs: by hour; hours: by user and hour; days}"""
        self.fill_hours(zone, first, last)
        start, end = day(zone, first)[0], day(zone, last)[1]
        given = {"org": self.org, "from": start, "to": end, "project": project, "slack": self.slack}
        ask = lambda sql: self.db.execute(sql, given).fetchall()
        by_hour = ask(BY_HOUR)
        pairs, hours, days = {}, {}, {}
        for user, date, hour, seconds in by_hour:
            pairs[hour] = pairs.get(hour, 0) + 1
            hours.setdefault(user, {})[hour] = hours.get(user, {}).get(hour, 0) + seconds
            days.setdefault(dt.date.fromisoformat(date), [0, 0])[0] += seconds
        for (t,) in ask(COMPLETIONS):
            days.setdefault(local_date(zone, t), [0, 0])[1] += 1
        return {"focus": dict(ask(FOCUS)), "completed": dict(ask(COMPLETED)), "tasks": dict(ask(TASKS)),
                "all_tasks": ask(ALL_TASKS)[0][0], "open": ask(OPEN)[0][0], "pairs": pairs, "hours": hours, "days": days,
                "user_days": {(u, d) for u, d, _, _ in by_hour}}

    def focus(self, zone, first, last):
        """Seconds by user and nothing else."""
        given = {"org": self.org, "from": day(zone, first)[0], "to": day(zone, last)[1], "project": None, "slack": self.slack}
        return self.db.execute(FOCUS, given).fetchall()

    def members(self):
        """{user id: active}"""
        return dict(self.db.execute("SELECT user_id, is_active FROM memberships WHERE organization_id = ?", (self.org,)))

    def streak(self, user, zone, today):
        active = {local_date(zone, t) for (t,) in self.db.execute(POMODOROS, {"org": self.org, "user": user})}
        at = next((d for d in (today, today - dt.timedelta(1)) if d in active), None)
        n = 0
        while at is not None and at - dt.timedelta(n) in active:
            n += 1
        return n
