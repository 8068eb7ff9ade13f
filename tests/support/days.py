"""Local days by Python's zone database: the reference for everything per day."""
import datetime as dt
import functools
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc


def seconds(text):
    """Unix seconds of "2025-01-20T10:00:00Z"."""
    return int(dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def iso(t):
    return dt.datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_date(zone, t):
    return dt.datetime.fromtimestamp(t, ZoneInfo(zone)).date()


@functools.lru_cache(None)
def day_start(zone, date):
    """The first instant whose local date is `date` or later: bisection, no arithmetic with offsets."""
    noon = int(dt.datetime(date.year, date.month, date.day, 12, tzinfo=UTC).timestamp())
    low, high = noon - 3 * 86400, noon + 3 * 86400
    while high - low > 1:
        middle = (low + high) // 2
        if local_date(zone, middle) >= date:
            high = middle
        else:
            low = middle
    return high


def day(zone, date):
    """[start, end) of a local day."""
    return day_start(zone, date), day_start(zone, date + dt.timedelta(1))


def overlap(spans, start, end):
    return sum(max(0, min(b, end) - max(a, start)) for a, b in spans)


def days_of(first, last):
    while first <= last:
        yield first
        first += dt.timedelta(1)
