-- SPDX-License-Identifier: Apache-2.0
--
-- How reports round, divide and combine figures (FF-29 to FF-33). Pure.
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

--- Two breakdowns { { key =, value = }, … } as one: { { key =, focus_seconds =, tasks_completed = }, … }, most focus
--- first, then by key. An entry that is 0 in both is left out: its facts were withdrawn.
function figures.combine(focus, completed)
    local rows, by_key = {}, {}
    local function add(list, field)
        for _, entry in ipairs(list) do
            local row = by_key[entry.key]
            if not row and entry.value ~= 0 then
                row = { key = entry.key, focus_seconds = 0, tasks_completed = 0 }
                rows[#rows + 1], by_key[entry.key] = row, row
            end
            if row then
                row[field] = entry.value
            end
        end
    end
    add(focus, "focus_seconds")
    add(completed, "tasks_completed")
    table.sort(rows, function(a, b)
        if a.focus_seconds ~= b.focus_seconds then
            return a.focus_seconds > b.focus_seconds
        end
        return a.key < b.key
    end)
    return rows
end

return figures
