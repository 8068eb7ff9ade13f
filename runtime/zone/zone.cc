/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading is cctz's work and happens once per zone; every question after that is answered from a flat
 * table of the zone's offsets, which never changes and so needs no lock. The table also carries the
 * latest local date reached before each offset began: with it "the day of an instant" and "the bounds of
 * a day" agree even where clocks were set back across midnight (St John's until 2011) or a date was
 * skipped (Apia). Rules repeat every 400 years, so later instants are folded into the table.
 * cctz remembers every name it is asked for, known or not; names are therefore checked here first. */
#include "zone/zone.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace {

constexpr int64_t DAY = 86400;
constexpr int64_t CYCLE_DAYS = 146097;                /* 400 Gregorian years, whole weeks */
constexpr int64_t CYCLE = CYCLE_DAYS * DAY;
constexpr int64_t DAY_MAX = 2000000000;               /* five million years; what lies beyond is clamped */
constexpr int64_t TIME_MAX = DAY_MAX * DAY;
constexpr int64_t RULES_REACH = 10413792000;          /* 2300-01-01: transitions after it come from a rule */
constexpr size_t NAME_MAX_LEN = 63;

struct segment {
    int64_t start;      /* first instant with this offset */
    int32_t offset;     /* seconds east of UTC */
    int32_t reached;    /* the latest local date before `start` */
};

} // namespace

struct rt_zone {
    char name[NAME_MAX_LEN + 1];
    const segment *segments;    /* the first one begins before everything */
    size_t count;
    bool cyclic;                /* after the last segment the last 400 years repeat */
    rt_zone *next;              /* in its bucket */
};

namespace {

constexpr segment FOREVER = {-(int64_t{1} << 60), 0, INT32_MIN};
constexpr rt_zone UTC = {"UTC", &FOREVER, 1, false, nullptr};

/* Zones are only ever added, at the head of a bucket: readers need no lock. */
std::atomic<rt_zone *> buckets[64];
std::mutex loading;

int64_t floor_day(int64_t t)
{
    return t >= 0 ? t / DAY : -((DAY - 1 - t) / DAY);
}

int64_t clamped(int64_t v, int64_t limit)
{
    return std::clamp(v, -limit, limit);
}

/* ---- names ---- */

bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-';
}

/* Names of the database: letters, digits and _+- between single slashes. Without dots, colons and a leading
 * slash a name cannot leave the folder or mean something special to cctz. */
bool well_formed(const char *p, size_t n)
{
    if (n == 0 || n > NAME_MAX_LEN || p[0] == '/' || p[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '/' ? p[i - 1] == '/' : !name_char(p[i]))
            return false;
    }
    return true;
}

/* Files of the folder that are not zones, or zones of another clock (leap seconds, the machine's own). */
bool reserved(const std::string &name)
{
    return name == "localtime" || name == "posixrules" || name.compare(0, 6, "posix/") == 0 ||
           name.compare(0, 6, "right/") == 0;
}

bool in_database(const std::string &name)
{
    const char *dir = std::getenv("TZDIR");
    std::string path = std::string(dir && *dir ? dir : "/usr/share/zoneinfo") + "/" + name;
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct stat st;
    char magic[4];
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, magic, sizeof magic) == sizeof magic &&
              std::memcmp(magic, "TZif", 4) == 0;
    close(fd);
    return ok;
}

/* ---- loading ---- */

std::vector<segment> offsets_of(const cctz::time_zone &tz)
{
    using point = cctz::time_point<cctz::seconds>;
    point at = point::min();
    std::vector<segment> list = {{FOREVER.start, tz.lookup(at).offset, INT32_MIN}};
    cctz::time_zone::civil_transition change;
    while (tz.next_transition(at, &change)) {
        point next = tz.lookup(change.to).trans;
        if (next <= at)
            break;
        int64_t t = next.time_since_epoch().count();
        int64_t date = floor_day(t - 1 + list.back().offset);
        list.push_back({t, tz.lookup(next).offset, std::max(list.back().reached, static_cast<int32_t>(date))});
        at = next;
    }
    return list;
}

rt_zone *load(const std::string &name)
{
    cctz::time_zone tz;
    if (!cctz::load_time_zone(name, &tz))
        return nullptr;
    std::vector<segment> list = offsets_of(tz);
    auto zone = std::make_unique<rt_zone>();
    auto segments = std::make_unique<segment[]>(list.size());
    std::copy(list.begin(), list.end(), segments.get());
    std::memcpy(zone->name, name.c_str(), name.size() + 1);
    zone->count = list.size();
    zone->cyclic = list.back().start > RULES_REACH;
    zone->segments = segments.release();
    return zone.release();
}

std::atomic<rt_zone *> &bucket_of(const char *p, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ static_cast<unsigned char>(p[i])) * 16777619u;
    return buckets[(h ^ h >> 16) % (sizeof buckets / sizeof buckets[0])];
}

rt_zone *lookup(const std::atomic<rt_zone *> &bucket, const char *p, size_t n)
{
    rt_zone *z = bucket.load(std::memory_order_acquire);
    while (z && (std::strncmp(z->name, p, n) != 0 || z->name[n] != '\0'))
        z = z->next;
    return z;
}

const rt_zone *find_or_load(const char *p, size_t n)
{
    std::atomic<rt_zone *> &bucket = bucket_of(p, n);
    if (const rt_zone *z = lookup(bucket, p, n))
        return z;
    std::string name(p, n);
    if (reserved(name) || !in_database(name))
        return nullptr;
    std::lock_guard<std::mutex> lock(loading);
    if (const rt_zone *z = lookup(bucket, p, n))
        return z;
    rt_zone *z = load(name);
    if (z) {
        z->next = bucket.load(std::memory_order_relaxed);
        bucket.store(z, std::memory_order_release);
    }
    return z;
}

/* ---- questions ---- */

/* Number of 400-year cycles to go back until `v` lies before `end`, the end of the table. */
int64_t cycles(const rt_zone *z, int64_t v, int64_t end, int64_t cycle)
{
    return z->cyclic && v >= end ? (v - end) / cycle + 1 : 0;
}

bool holds(const rt_zone *z, size_t i, int64_t t)
{
    return z->segments[i].start <= t && (i + 1 == z->count || t < z->segments[i + 1].start);
}

/* The segment in force at `t`, folded already. Neighbouring questions mostly have the same answer. */
size_t segment_at(const rt_zone *z, int64_t t)
{
    static thread_local struct {
        const rt_zone *zone;
        size_t index;
    } last;
    if (last.zone == z && holds(z, last.index, t))
        return last.index;
    const segment *end = z->segments + z->count;
    const segment *s = std::upper_bound(z->segments, end, t, [](int64_t v, const segment &e) { return v < e.start; });
    last.zone = z;
    last.index = static_cast<size_t>(s - z->segments) - 1;
    return last.index;
}

const segment &last_segment(const rt_zone *z)
{
    return z->segments[z->count - 1];
}

/* The first instant whose local date is `day` or later. */
int64_t first_instant(const rt_zone *z, int64_t day)
{
    int64_t k = cycles(z, day, int64_t{last_segment(z).reached} + 1, CYCLE_DAYS);
    day -= k * CYCLE_DAYS;
    const segment *end = z->segments + z->count;
    const segment *s = std::partition_point(z->segments, end, [day](const segment &e) { return e.reached < day; }) - 1;
    return std::max(s->start, day * DAY - s->offset) + k * CYCLE;
}

int64_t wall_clock(const rt_zone *z, int64_t *t)
{
    *t = clamped(*t, TIME_MAX);
    return *t + rt_zone_offset(z, *t);
}

} // namespace

const struct rt_zone *rt_zone_utc(void)
{
    return &UTC;
}

const struct rt_zone *rt_zone_find(const char *name, size_t n)
{
    if (!name || !well_formed(name, n))
        return nullptr;
    if (n == 3 && std::memcmp(name, "UTC", 3) == 0)
        return &UTC;
    try {
        return find_or_load(name, n);
    } catch (...) {
        return nullptr;
    }
}

const char *rt_zone_name(const struct rt_zone *z)
{
    return z->name;
}

int rt_zone_offset(const struct rt_zone *z, int64_t t)
{
    t = clamped(t, TIME_MAX);
    t -= cycles(z, t, last_segment(z).start, CYCLE) * CYCLE;
    return z->segments[segment_at(z, t)].offset;
}

int64_t rt_zone_day(const struct rt_zone *z, int64_t t)
{
    t = clamped(t, TIME_MAX);
    int64_t k = cycles(z, t, last_segment(z).start, CYCLE);
    t -= k * CYCLE;
    const segment &s = z->segments[segment_at(z, t)];
    return std::max(int64_t{s.reached}, floor_day(t + s.offset)) + k * CYCLE_DAYS;
}

int rt_zone_hour(const struct rt_zone *z, int64_t t)
{
    int64_t local = wall_clock(z, &t);
    return static_cast<int>((local - floor_day(local) * DAY) / 3600);
}

void rt_zone_day_bounds(const struct rt_zone *z, int64_t day, int64_t *ret_start, int64_t *ret_end)
{
    day = clamped(day, DAY_MAX);
    *ret_start = first_instant(z, day);
    *ret_end = first_instant(z, day + 1);
}

int64_t rt_zone_instant(const struct rt_zone *z, int64_t day, int seconds_of_day)
{
    day = clamped(day, DAY_MAX);
    int64_t k = cycles(z, day, int64_t{last_segment(z).reached}, CYCLE_DAYS);
    int64_t local = (day - k * CYCLE_DAYS) * DAY + seconds_of_day;
    /* No offset exceeds 26 hours: begin before the answer and pass the segments that end too early. */
    size_t i = segment_at(z, local - 30 * 3600);
    while (i + 1 < z->count && z->segments[i + 1].start + z->segments[i].offset <= local)
        i++;
    return std::max(z->segments[i].start, local - z->segments[i].offset) + k * CYCLE;
}
