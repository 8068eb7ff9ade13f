-- SPDX-License-Identifier: Apache-2.0
--
-- The figures of an organization's members, side by side. Whoever was a member in the range counts, also if removed
-- since: what a team has done does not change when somebody leaves.
--
-- A team report asks for one small row per member and day (scripts/focusflow/analytics.lua), so it costs the days asked
-- for, whatever lies behind them.
local facts = require "analytics"
local team_figures = {}

local MEMBERS = [[
SELECT m.id, m.user_id, u.username, m.is_active AS "is_active:bool",
       COALESCE(NULLIF(TRIM(u.first_name || ' ' || u.last_name), ''), u.username) AS name
  FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? ORDER BY u.username_key]]
local PROJECT = "SELECT id, name FROM projects WHERE id = ? AND organization_id = ?"

-- A task that was created, started, worked on or completed in a range has a fact of one of these in it, so that the
-- number of details is the number of tasks of the range (FF-50).
local MEASURES = { "focus_seconds", "tasks_completed", "tasks_touched" }

--- All members the organization ever had: { id = of the membership, user_id, username, name, is_active }.
function team_figures.members(organization_id)
    return db.all(MEMBERS, organization_id)
end

--- A project of the organization, { id, name }; 404 for any other (FF-50).
function team_figures.project(organization_id, project_id)
    return db.one(PROJECT, project_id, organization_id) or fail.not_found "There is no such project."
end

--- The figures of the members for days first..last of the zone, an analytics.group(). Choices: `project_id`;
--- `key_shift`, for a breakdown by task (0) or by project (facts.TASK_BITS).
function team_figures.of(members, zone, first, last, choices)
    local ids = {}
    for i, member in ipairs(members) do
        ids[i] = member.id
    end
    return analytics.group {
        kind = "member",
        ids = ids,
        details = choices and choices.project_id and facts.details_of_project(choices.project_id),
        key_shift = choices and choices.key_shift,
        measures = MEASURES,
        zone = zone,
        first = first,
        last = last,
    }
end

--- One entry per member: { member =, focus_seconds =, tasks_completed =, tasks = of the range }, most focus first. Who
--- has left is there only with figures.
function team_figures.by_member(members, group)
    local entries = {}
    for i, member in ipairs(members) do
        if member.is_active or group.details[i] > 0 then
            entries[#entries + 1] = {
                member = member,
                focus_seconds = group.focus_seconds.subjects[i],
                tasks_completed = group.tasks_completed.subjects[i],
                tasks = group.details[i],
                place = i,
            }
        end
    end
    table.sort(entries, function(a, b)
        if a.focus_seconds ~= b.focus_seconds then
            return a.focus_seconds > b.focus_seconds
        end
        return a.place < b.place
    end)
    return entries
end

--- How many of the members are active.
function team_figures.active(members)
    local n = 0
    for _, member in ipairs(members) do
        n = n + (member.is_active and 1 or 0)
    end
    return n
end

return team_figures
