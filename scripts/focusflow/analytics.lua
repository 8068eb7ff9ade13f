-- SPDX-License-Identifier: Apache-2.0
--
-- The facts behind all reports, derived from the rows in one place: SESSIONS and TASKS. What a change records and what
-- `perigee analytics verify` expects are the same queries, so they cannot drift apart.
--
--   focus_seconds    the spans of ended focus sessions
--   pomodoros        completed focus sessions, at their end
--   tasks_completed  completed tasks, at their end
--
-- Each belongs to its user and is broken down by project, 0 for none. A fact whose row is deleted or moves to another
-- project is withdrawn before the row changes.
local facts = {}

-- %s is the condition on s (a session) and t (its task); it stands twice.
local SESSIONS = [[
SELECT 'focus_seconds' AS measure, 'user' AS kind, s.user_id AS id, COALESCE(t.project_id, 0) AS detail,
       p.started_at AS "from", p.ended_at AS "to", p.ended_at - p.started_at AS value
  FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id JOIN session_spans p ON p.session_id = s.id
 WHERE s.ended_at IS NOT NULL AND %s
 UNION ALL
SELECT 'pomodoros', 'user', s.user_id, COALESCE(t.project_id, 0), s.ended_at, s.ended_at, 1
  FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
 WHERE s.ended_at IS NOT NULL AND s.completed = 1 AND %s]]

-- %s is the condition on t (a task).
local TASKS = [[
SELECT 'tasks_completed' AS measure, 'user' AS kind, t.user_id AS id, COALESCE(t.project_id, 0) AS detail,
       t.ended_at AS "from", t.ended_at AS "to", 1 AS value
  FROM tasks t
 WHERE t.status = 'completed' AND %s]]

local FACTS = SESSIONS .. " UNION ALL " .. TASKS

local OF_SESSION = SESSIONS:format("s.id = ?", "s.id = ?")
local OF_COMPLETION = TASKS:format("t.id = ?")
local OF_TASK = FACTS:format("t.id = ?", "t.id = ?", "t.id = ?")
local OF_PROJECT = FACTS:format("t.project_id = ?", "t.project_id = ?", "t.project_id = ?")
local RANGE = "t.id > ? AND t.id <= ?"
local OF_RANGE = FACTS:format(RANGE, RANGE, RANGE)
local TASKS_AT_ONCE = 500

local function record_all(list)
    for _, fact in ipairs(list) do
        analytics.record(fact)
    end
end

local function withdraw_all(list)
    for _, fact in ipairs(list) do
        fact.value = -fact.value
        analytics.record(fact)
        fact.value = -fact.value
    end
end

local function move_all(list, project_id)
    withdraw_all(list)
    for _, fact in ipairs(list) do
        fact.detail = project_id or 0
    end
    record_all(list)
end

--- A focus session has ended.
function facts.session_ended(session_id)
    record_all(db.all(OF_SESSION, session_id, session_id))
end

--- A task has been completed.
function facts.task_completed(task_id)
    record_all(db.all(OF_COMPLETION, task_id))
end

--- A task is about to be deleted.
function facts.withdraw_task(task_id)
    withdraw_all(db.all(OF_TASK, task_id, task_id, task_id))
end

--- The facts of a task, after withdraw_task() and a change of what they derive from.
function facts.record_task(task_id)
    record_all(db.all(OF_TASK, task_id, task_id, task_id))
end

--- A task is about to move to another project, or to none.
function facts.move_task(task_id, project_id)
    move_all(db.all(OF_TASK, task_id, task_id, task_id), project_id)
end

--- A project is about to lose its tasks (FF-17).
function facts.empty_project(project_id)
    move_all(db.all(OF_PROJECT, project_id, project_id, project_id), nil)
end

--- All facts there should be, for verification; a slice of tasks at a time.
function facts.recount(emit)
    local last = db.value "SELECT MAX(id) FROM tasks" or 0
    for from = 0, last - 1, TASKS_AT_ONCE do
        local to = from + TASKS_AT_ONCE
        for _, fact in ipairs(db.all(OF_RANGE, from, to, from, to, from, to)) do
            emit(fact)
        end
    end
end

return facts
