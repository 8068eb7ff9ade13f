"""Compares the answers of 10.3, 11.1 and 11.2 with what support/team_sql.py says."""
from .days import days_of


def near(value, exact, decimals=2):
    """Rounded to so many decimals; either side at a tie."""
    return abs(value - exact) <= 0.5 * 10 ** -decimals + 1e-9 and \
        abs(value * 10 ** decimals - round(value * 10 ** decimals)) < 1e-6


def ratio(a, b):
    return a / b if b else 0


def check_hours(listed, pairs, n):
    want = sorted(pairs.items(), key=lambda x: (-x[1], x[0]))[:5]
    assert [h["hour"] for h in listed] == ["%02d:00" % h for h, _ in want], (listed, want)
    assert all(near(h["avg_active_employees"], count / n) for h, (_, count) in zip(listed, want)), (listed, want)


def check_team(v, sql, zone, first, last, project=None):
    want, members = sql.report(zone, first, last, project), sql.members()
    total, done = sum(want["focus"].values()), sum(want["completed"].values())
    stats, where = v["team_statistics"], (zone, first, last, project, v, want)
    active = sum(map(bool, members.values()))
    assert near(stats["total_focus_hours"], total / 3600), where
    assert near(stats["avg_focus_hours_per_employee"], total / 3600 / active), where
    assert stats["total_tasks_completed"] == done, where
    assert near(stats["avg_task_completion_rate"], ratio(done, want["all_tasks"])), where
    listed = {e["user"]["id"]: e for e in v["employee_breakdown"]}
    assert len(listed) == len(v["employee_breakdown"])
    assert set(listed) == {u for u, is_active in members.items() if is_active or want["tasks"].get(u)}, where
    for u, e in listed.items():
        done, tasks = want["completed"].get(u, 0), want["tasks"].get(u, 0)
        assert near(e["focus_hours"], want["focus"].get(u, 0) / 3600) and e["tasks_completed"] == done, (u, where)
        assert near(e["completion_rate"], ratio(done, tasks)) and e["is_active"] == bool(members[u]), (u, where)
    order = [want["focus"].get(e["user"]["id"], 0) for e in v["employee_breakdown"]]
    assert order == sorted(order, reverse=True), where
    check_hours(v["peak_productivity_hours"], want["pairs"], len(list(days_of(first, last))))


def check_project(v, sql, zone, first, last, project):
    want = sql.report(zone, first, last, project)
    total, where = sum(want["focus"].values()), (zone, first, last, project, v, want)
    assert near(v["total_focus_hours"], total / 3600) and v["total_tasks"] == want["all_tasks"], where
    assert v["completed_tasks"] == sum(want["completed"].values()) and v["in_progress_tasks"] == want["open"], where
    assert near(v["avg_task_duration_hours"], ratio(total / 3600, want["all_tasks"]), 1), where
    listed = {e["user"]["id"]: e for e in v["contributors"]}
    assert set(listed) == set(want["focus"]) | set(want["completed"]), where
    for u, e in listed.items():
        focus = want["focus"].get(u, 0)
        assert near(e["focus_hours"], focus / 3600) and e["tasks_completed"] == want["completed"].get(u, 0), where
        assert near(e["contribution_percentage"], 100 * ratio(focus, total), 1), where
    assert [d["date"] for d in v["timeline"]] == [str(d) for d in sorted(want["days"])], where
    for d, (focus, done) in zip(v["timeline"], (want["days"][d] for d in sorted(want["days"]))):
        assert near(d["focus_hours"], focus / 3600) and d["tasks_completed"] == done, where


def peaks(hours):
    """FF-49 by looking at all ranges."""
    found = []
    for _ in range(2):
        free = [s for s in range(23) if all(abs(s - f) >= 2 for f in found)]
        best = max(free, key=lambda s: (hours.get(s, 0) + hours.get(s + 1, 0), hours.get(s, 0), -s))
        if hours.get(best, 0) + hours.get(best + 1, 0) > 0:
            found.append(best)
    return ["%02d:00-%02d:00" % (s, (s + 2) % 24) for s in found]


def check_employee(v, sql, zone, first, last, user, today):
    want = sql.report(zone, first, last)
    focus, where = want["focus"].get(user, 0), (zone, first, last, user, v, want)
    days = len([1 for u, _ in want["user_days"] if u == user])
    stats, pattern = v["statistics"], v["productivity_pattern"]
    assert near(stats["total_focus_hours"], focus / 3600) and near(stats["avg_daily_focus_hours"], ratio(focus / 3600, days)), where
    assert stats["total_tasks_completed"] == want["completed"].get(user, 0), where
    assert stats["current_streak"] == sql.streak(user, zone, today), where
    assert pattern["peak_hours"] == peaks(want["hours"].get(user, {})), where
    tasks = want["tasks"].get(user, 0)
    assert pattern["avg_task_duration_minutes"] == (focus // (60 * tasks) if tasks else 0), where
