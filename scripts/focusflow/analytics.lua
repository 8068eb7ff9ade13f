-- SPDX-License-Identifier: Apache-2.0
--
-- The facts behind all reports, derived from the rows in one place: FACTS. What a change records and what
-- `perigee analytics verify` expects is the same query, so they cannot drift apart.
--
--   focus_seconds    the spans of ended focus sessions
--   pomodoros        completed focus sessions, at their end
--   tasks_completed  completed tasks, at their end; session_id is 0
--
-- Each belongs to its user and is broken down by project, 0 for none. A fact whose row is deleted or moves to another
-- project is withdrawn before the row changes.
local facts = {}

local FACTS = [[
WITH facts AS (
    SELECT 'focus_seconds' AS measure, s.user_id, t.project_id, t.id AS task_id, s.id AS session_id,
           p.started_at AS begun, p.ended_at AS done, p.ended_at - p.started_at AS amount
      FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id JOIN session_spans p ON p.session_id = s.id
     WHERE s.ended_at IS NOT NULL
    UNION ALL
    SELECT 'pomodoros', s.user_id, t.project_id, t.id, s.id, s.ended_at, s.ended_at, 1
      FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
     WHERE s.ended_at IS NOT NULL AND s.completed = 1
    UNION ALL
    SELECT 'tasks_completed', t.user_id, t.project_id, t.id, 0, t.ended_at, t.ended_at, 1
      FROM tasks t
     WHERE t.status = 'completed'
)
SELECT measure, 'user' AS kind, user_id AS id, COALESCE(project_id, 0) AS detail, begun AS "from", done AS "to",
       amount AS value
  FROM facts WHERE ]]

local OF_SESSION = FACTS .. "task_id = ? AND session_id = ?"
local OF_TASK = FACTS .. "task_id = ?"
local OF_PROJECT = FACTS .. "project_id = ?"
local OF_RANGE = FACTS .. "task_id > ? AND task_id <= ?"
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
function facts.session_ended(task_id, session_id)
    record_all(db.all(OF_SESSION, task_id, session_id))
end

--- A task has been completed.
function facts.task_completed(task_id)
    record_all(db.all(OF_SESSION, task_id, 0))
end

--- A task is about to be deleted.
function facts.withdraw_task(task_id)
    withdraw_all(db.all(OF_TASK, task_id))
end

--- A task is about to move to another project, or to none.
function facts.move_task(task_id, project_id)
    move_all(db.all(OF_TASK, task_id), project_id)
end

--- A project is about to lose its tasks (FF-17).
function facts.empty_project(project_id)
    move_all(db.all(OF_PROJECT, project_id), nil)
end

--- All facts there should be, for verification; a slice of tasks at a time.
function facts.recount(emit)
    local last = db.value "SELECT MAX(id) FROM tasks" or 0
    for from = 0, last - 1, TASKS_AT_ONCE do
        for _, fact in ipairs(db.all(OF_RANGE, from, from + TASKS_AT_ONCE)) do
            emit(fact)
        end
    end
end

return facts
