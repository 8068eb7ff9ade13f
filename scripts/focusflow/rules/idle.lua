-- SPDX-License-Identifier: Apache-2.0
--
-- When an employee is idle (FF-54). Pure: instants are Unix seconds, a day is its first instant and the first after it.
local idle = {}

--- The instant of a time "HH:MM" on the day. Counted from the day's end where the clock was changed on it: that is done
--- in the night, before anybody works.
function idle.instant(first, after, text)
    local hours, minutes = text:match "^(%d%d):(%d%d)$"
    local seconds = hours * 3600 + minutes * 60
    return after - first == 86400 and first + seconds or after - (86400 - seconds)
end

--- When somebody whose last activity was at `since` is to be reported, who does nothing more: after so many seconds,
--- but only within the working hours from `start` to `finish` of that day. nil: not at all.
function idle.due(since, seconds, start, finish)
    local due = math.max(since + seconds, start)
    return due < finish and due or nil
end

return idle
