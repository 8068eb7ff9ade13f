-- SPDX-License-Identifier: Apache-2.0
--
-- How dates are written for people. Pure.
local periods = {}

local MONTHS = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
}

local function long(date)
    local year, month, day = date:match "^(%d+)-(%d+)-(%d+)$"
    return ("%d %s %s"):format(tonumber(day), MONTHS[tonumber(month)], year), year, month, day
end

--- "1–20 January 2025", "28 December 2024 – 3 January 2025"
function periods.range(first, last)
    local from, from_year, from_month, from_day = long(first)
    local to, year, month, day = long(last)
    if from == to then
        return to
    elseif from_year == year and from_month == month then
        return ("%d–%d %s %s"):format(tonumber(from_day), tonumber(day), MONTHS[tonumber(month)], year)
    end
    return from .. " – " .. to
end

--- The label of a chart's bar that stands for a day, the week that begins with it, or its month.
function periods.label(step, year, month, day)
    local name = MONTHS[month]:sub(1, 3)
    return step == "month" and ("%s %d"):format(name, year) or ("%d %s"):format(day, name)
end

return periods
