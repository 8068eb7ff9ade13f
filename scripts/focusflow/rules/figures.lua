-- SPDX-License-Identifier: Apache-2.0
--
-- How reports round and divide figures (FF-29 to FF-33). Pure.
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

return figures
