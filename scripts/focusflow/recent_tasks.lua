-- SPDX-License-Identifier: Apache-2.0
--
-- The tasks of a member that were touched last (10.3): created, started, completed, assigned, or worked on.
--
-- A task that belongs to the first n by its latest moment belongs to the first n by the kind of that moment. So the
-- candidates are the first n of each kind, each read off the user's own index of it (+ keeps SQLite from the
-- organization's), and nobody's history is gone through.
local recent_tasks = {}

local TASK = [[
SELECT t.id, t.title, t.status, t.total_focus_seconds AS focus_time_seconds, t.created_at, t.started_at, t.ended_at,
       t.assigned_at FROM tasks t WHERE t.user_id = ? AND +t.organization_id = ? AND ]]
local BY_KIND = {
    TASK .. "t.created_at > 0 ORDER BY t.created_at DESC LIMIT ?",
    TASK .. "t.started_at IS NOT NULL ORDER BY t.started_at DESC LIMIT ?",
    TASK .. "t.ended_at IS NOT NULL ORDER BY t.ended_at DESC LIMIT ?",
    TASK .. "t.assigned_at IS NOT NULL ORDER BY t.assigned_at DESC LIMIT ?",
}
local BY_ID = TASK .. "t.id = ?"
local SESSIONS = [[
SELECT s.id, s.task_id, s.started_at, s.resumed_at, s.paused_at, s.ended_at
  FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
 WHERE s.user_id = ? AND t.user_id = s.user_id AND t.organization_id = ? AND (s.started_at, s.id) < (?, ?)
 ORDER BY s.started_at DESC, s.id DESC LIMIT ?]]
local AT_ONCE = 100
local FAR = { started_at = 1 << 40, id = 0 }

local function latest(...)
    local at = 0
    for i = 1, select("#", ...) do
        at = math.max(at, (select(i, ...)) or 0)
    end
    return at
end

local function add(found, task, at)
    local known = found[task.id] or task
    known.touched = latest(known.touched, at)
    found[task.id] = known
end

-- A user has one session at a time: the order in which they began is the order in which they ended.
local function add_worked_on(found, organization_id, user_id, n)
    local seen, count, before = {}, 0, FAR
    repeat
        local sessions = db.all(SESSIONS, user_id, organization_id, before.started_at, before.id, AT_ONCE)
        for _, session in ipairs(sessions) do
            if not seen[session.task_id] and count < n then
                seen[session.task_id], count = true, count + 1
                local task = found[session.task_id] or db.one(BY_ID, user_id, organization_id, session.task_id)
                add(found, task, latest(session.resumed_at, session.paused_at, session.ended_at))
            end
        end
        before = sessions[#sessions]
    until count == n or #sessions < AT_ONCE
end

--- The n last touched tasks of a user in an organization, last first: { id, title, status, focus_time_seconds }.
function recent_tasks.of(organization_id, user_id, n)
    local found, list = {}, {}
    for _, sql in ipairs(BY_KIND) do
        for _, task in ipairs(db.all(sql, user_id, organization_id, n)) do
            add(found, task, latest(task.created_at, task.started_at, task.ended_at, task.assigned_at))
        end
    end
    add_worked_on(found, organization_id, user_id, n)
    for _, task in pairs(found) do
        list[#list + 1] = task
    end
    table.sort(list, function(a, b)
        return a.touched > b.touched or a.touched == b.touched and a.id > b.id
    end)
    return table.move(list, 1, math.min(n, #list), 1, {})
end

return recent_tasks
