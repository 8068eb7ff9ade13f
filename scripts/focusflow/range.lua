-- SPDX-License-Identifier: Apache-2.0
--
-- The range of days that a report is asked for (FF-34).
local range = {}

local LONGEST = 36600   -- days; more than anyone has worked, and a bound on the answer

--- Its query parameters.
range.query = {
    start_date = doc("First day (default: first day of the current month).", optional(date)),
    end_date = doc("Last day (default: today).", optional(date)),
}

--- With further ones.
function range.query_with(more)
    for name, kind in pairs(range.query) do
        more[name] = kind
    end
    return more
end

--- The first and the last day of the request; first of the month to today where nothing is given.
function range.of(req)
    local today = time.today(req.user.timezone, req.now)
    local last = req.query.end_date or today
    local first = req.query.start_date or today:sub(1, 8) .. "01"
    local days = time.days_between(first, last)
    if days < 0 then
        fail.validation { start_date = "The start date is after the end date." }
    elseif days > LONGEST then
        fail.validation { start_date = "The range is longer than a hundred years." }
    end
    return first, last
end

return range
