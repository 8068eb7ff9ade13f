-- SPDX-License-Identifier: Apache-2.0
--
-- How reports round, divide and rank figures (FF-29 to FF-33, FF-49, FF-50). Pure.
local figures = {}

local function round(value)
    return math.floor(value + 0.5)
end

--- Hours with two decimals (FF-29).
function figures.hours(seconds)
    return round(seconds / 36) / 100
end

--- Hours per day with two decimals (FF-30, FF-31).
function figures.daily_hours(seconds, days)
    return round(seconds / days / 36) / 100
end

--- An integer; 0 of nothing.
function figures.percentage(part, total)
    return total > 0 and round(100 * part / total) or 0
end

--- part / total with that many decimals; 0 of nothing.
function figures.ratio(part, total, decimals)
    local unit = 10 ^ decimals
    return total > 0 and round(unit * part / total) / unit or 0
end

--- Cut to an integer; 0 when there is nothing to divide by (FF-33).
function figures.average(total, count)
    return count > 0 and total // count or 0
end

--- The position of the greatest value, the first of equals; nil when all are 0.
function figures.best(days)
    local best
    for i, value in ipairs(days) do
        if value > (best and days[best] or 0) then
            best = i
        end
    end
    return best
end

--- How many of the values are above 0.
function figures.active(values)
    local n = 0
    for _, value in ipairs(values) do
        n = n + (value > 0 and 1 or 0)
    end
    return n
end

local function clock(hour)
    return ("%02d:00"):format(hour % 24)
end

--- The hours in which most members focus, at most five, most first (FF-50): { hour = "09:00", count =, average = }.
--- `counts` has 24 values: in how many days of how many members that hour has focus time. The average is over the days.
function figures.busiest_hours(counts, days)
    local hours = {}
    for i, count in ipairs(counts) do
        if count > 0 then
            hours[#hours + 1] = { hour = clock(i - 1), count = count, average = figures.ratio(count, days, 2) }
        end
    end
    table.sort(hours, function(a, b)
        return a.count > b.count or a.count == b.count and a.hour < b.hour
    end)
    return table.move(hours, 1, math.min(#hours, 5), 1, {})
end

-- The first hour of the two-hour range with most focus time, or nil. Of equal ones that which begins with more of it,
-- then the earlier. It does not touch the hours of the range that begins at `taken`.
local function best_range(hours, taken)
    local best
    for start = 0, 22 do
        local first, both = hours[start + 1], hours[start + 1] + hours[start + 2]
        local free = not taken or math.abs(start - taken) >= 2
        if free and both > 0 and (not best or both > best.both or both == best.both and first > best.first) then
            best = { start = start, both = both, first = first }
        end
    end
    return best and best.start
end

--- Up to two ranges of two hours of one day that do not overlap and have most focus time, most first (FF-49):
--- { "09:00-11:00" }. `hours` has 24 sums.
function figures.peak_hours(hours)
    local ranges, first = {}, best_range(hours)
    local second = first and best_range(hours, first)
    for i, start in ipairs { first, second } do
        ranges[i] = clock(start) .. "-" .. clock(start + 2)
    end
    return ranges
end

return figures
