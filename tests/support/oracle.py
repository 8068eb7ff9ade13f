"""What the analytics of a user must say, computed from raw facts in plain Python (FF-29 to FF-34, X-16).

Facts are what the API itself reported: tasks with their time stamps, sessions with the spans in
which they ran. Nothing here knows how the server keeps its sums.
"""
import calendar
import datetime as dt
from collections import defaultdict

from .days import day, days_of, local_date, overlap

STATES = {"pending": "pending_tasks", "in_progress": "in_progress_tasks", "paused": "in_progress_tasks",
          "completed": "completed_tasks"}


class Session:
    """An ended focus session: [(from, to), …] without its pauses."""

    def __init__(self, task, spans, ended, completed):
        self.task, self.spans, self.ended, self.completed = task, spans, ended, completed


class Task:
    def __init__(self, id, project, created):
        self.id, self.project, self.created = id, project, created
        self.started = self.ended = None
        self.status = "pending"


class Oracle:
    """The facts of one user in one zone."""

    def __init__(self, zone):
        self.zone, self.tasks, self.sessions = zone, [], []

    def _within(self, t, start, end):
        return t is not None and start <= t < end

    def focus(self, start, end, project=False):
        return sum(overlap(s.spans, start, end) for s in self.sessions if project is False or s.task.project == project)

    def completed(self, start, end, project=False):
        return sum(self._within(t.ended, start, end) for t in self.tasks if project is False or t.project == project)

    def pomodoros(self, start, end):
        return sum(s.completed and start <= s.ended < end for s in self.sessions)

    def projects(self, start, end):
        """{project: (focus, completed)} for those that have any."""
        out = {}
        for p in {t.project for t in self.tasks}:
            both = self.focus(start, end, p), self.completed(start, end, p)
            if any(both):
                out[p] = both
        return out

    def daily(self, date):
        start, end = day(self.zone, date)
        counts = defaultdict(int)
        for t in self.tasks:
            if any(self._within(x, start, end) for x in (t.created, t.started, t.ended)):
                counts[STATES[t.status]] += 1
        return {"counts": {k: counts[k] for k in STATES.values()}, "focus": self.focus(start, end),
                "pomodoros": self.pomodoros(start, end), "projects": self.projects(start, end)}

    def range(self, first, last):
        """Totals and days of the local dates first..last."""
        start, end = day(self.zone, first)[0], day(self.zone, last)[1]
        days = {d: (self.focus(*day(self.zone, d)), self.completed(*day(self.zone, d))) for d in days_of(first, last)}
        return {"focus": self.focus(start, end), "completed": self.completed(start, end), "days": days,
                "pomodoros": self.pomodoros(start, end), "projects": self.projects(start, end)}

    def week(self, year, week):
        monday = dt.date.fromisocalendar(year, week, 1)
        return self.range(monday, monday + dt.timedelta(6))

    def month(self, year, month):
        return self.range(dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1]))

    def streaks(self, today):
        """(current, longest, active days, start of the current one)"""
        active = sorted({local_date(self.zone, s.ended) for s in self.sessions if s.completed})
        longest = run = 0
        for i, d in enumerate(active):
            run = run + 1 if i and d - active[i - 1] == dt.timedelta(1) else 1
            longest = max(longest, run)
        last = next((d for d in (today, today - dt.timedelta(1)) if d in active), None)
        current = 0
        while last is not None and last - dt.timedelta(current) in active:
            current += 1
        start = last - dt.timedelta(current - 1) if current else None
        return current, longest, len(active), start
