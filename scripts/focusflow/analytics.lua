-- SPDX-License-Identifier: Apache-2.0
--
-- The facts behind all reports, derived from the rows in one place: SESSIONS, TASKS and TOUCHED. What a change records
-- and what `perigee analytics verify` expects are the same queries, so they cannot drift apart.
--
--   focus_seconds    the spans of ended focus sessions, of who focused
--   pomodoros        completed focus sessions, at their end, of who focused
--   tasks_completed  completed tasks, at their end, of their owner
--   tasks_touched    tasks at their creation and at their first start, of their owner; only in organizations
--
-- Subjects: the user, broken down by project (0 for none). For work in an organization also the user's membership, a
-- "member", broken down by project and task. So a report on an organization reads one small row per member and day, a
-- change writes one row more for it and none more for personal work, and how many tasks were worked on follows from how
-- many details there are. A fact whose row is deleted, moves or gets another owner is withdrawn before the row changes
-- and recorded again after it; focus time stays with who focused (FF-45).
local facts = {}

-- %s is the condition on s (a session) and t (its task); it stands twice.
local SESSIONS = [[
SELECT 'focus_seconds' AS measure, s.user_id, t.id AS task_id, COALESCE(t.project_id, 0) AS project_id,
       m.id AS member_id, p.started_at AS "from", p.ended_at AS "to", p.ended_at - p.started_at AS value
  FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id JOIN session_spans p ON p.session_id = s.id
  LEFT JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = s.user_id
 WHERE s.ended_at IS NOT NULL AND %s
 UNION ALL
SELECT 'pomodoros', s.user_id, t.id, COALESCE(t.project_id, 0), m.id, s.ended_at, s.ended_at, 1
  FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
  LEFT JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = s.user_id
 WHERE s.ended_at IS NOT NULL AND s.completed = 1 AND %s]]

-- %s is the condition on t (a task).
local TASKS = [[
SELECT 'tasks_completed' AS measure, t.user_id, t.id AS task_id, COALESCE(t.project_id, 0) AS project_id,
       m.id AS member_id, t.ended_at AS "from", t.ended_at AS "to", 1 AS value
  FROM tasks t LEFT JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = t.user_id
 WHERE t.status = 'completed' AND %s]]

-- %s is the condition on t (a task).
local CREATED = [[
SELECT 'tasks_touched' AS measure, NULL AS user_id, t.id AS task_id, COALESCE(t.project_id, 0) AS project_id,
       m.id AS member_id, t.created_at AS "from", t.created_at AS "to", 1 AS value
  FROM tasks t JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = t.user_id
 WHERE %s]]
local STARTED = [[
SELECT 'tasks_touched' AS measure, NULL AS user_id, t.id AS task_id, COALESCE(t.project_id, 0) AS project_id,
       m.id AS member_id, t.started_at AS "from", t.started_at AS "to", 1 AS value
  FROM tasks t JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = t.user_id
 WHERE t.started_at IS NOT NULL AND %s]]

local FACTS = table.concat({ SESSIONS, TASKS, CREATED, STARTED }, " UNION ALL ")

-- The query for a condition, which stands as often as it has to.
local function of(queries, condition)
    return (queries:gsub("%%s", condition))
end

local OF_SESSION = of(SESSIONS, "s.id = ?")
local OF_COMPLETION_AND_SESSION = of(SESSIONS, "s.id = ?") .. " UNION ALL " .. of(TASKS, "t.id = ?")
local OF_COMPLETION, OF_CREATION, OF_START = of(TASKS, "t.id = ?"), of(CREATED, "t.id = ?"), of(STARTED, "t.id = ?")
local OF_TASK = of(FACTS, "t.id = ?")
local OF_PROJECT = of(FACTS, "t.project_id = ?")
local OF_RANGE = of(FACTS, "t.id > ? AND t.id <= ?")
local TASKS_AT_ONCE = 500

--- A member's detail is a project and a task; so many bits are the task's.
facts.TASK_BITS = 32

--- The details of a member's facts that are of one project: the first and the last.
function facts.details_of_project(project_id)
    return { project_id << facts.TASK_BITS, (project_id + 1 << facts.TASK_BITS) - 1 }
end

-- What the rows of the queries stand for: a list that begins with the users' facts. Facts of a subject that follow each
-- other are one change of its day's row.
local function facts_of(rows, sign)
    local list, members = {}, {}
    local function add(to, row, kind, id, detail)
        to[#to + 1] = {
            measure = row.measure,
            kind = kind,
            id = id,
            detail = detail,
            from = row.from,
            to = row.to,
            value = sign * row.value,
        }
    end
    for _, row in ipairs(rows) do
        if row.user_id then
            add(list, row, "user", row.user_id, row.project_id)
        end
        if row.member_id then
            add(members, row, "member", row.member_id, row.project_id << facts.TASK_BITS | row.task_id)
        end
    end
    return table.move(members, 1, #members, #list + 1, list)
end

local function record_all(rows)
    analytics.record(facts_of(rows, 1))
end

local function withdraw_all(rows)
    analytics.record(facts_of(rows, -1))
end

local function all_of(query, id)
    return db.all(query, id, id, id, id, id)
end

--- A focus session has ended.
function facts.session_ended(session_id)
    record_all(db.all(OF_SESSION, session_id, session_id))
end

--- A task has been completed, and with it the focus session of that id, if any.
function facts.task_completed(task_id, session_id)
    if session_id then
        record_all(db.all(OF_COMPLETION_AND_SESSION, session_id, session_id, task_id))
    else
        record_all(db.all(OF_COMPLETION, task_id))
    end
end

--- A task has been created in an organization.
function facts.task_created(task_id)
    record_all(db.all(OF_CREATION, task_id))
end

--- A task of an organization has been started for the first time.
function facts.task_started(task_id)
    record_all(db.all(OF_START, task_id))
end

--- A task is about to be deleted, to move or to get another owner.
function facts.withdraw_task(task_id)
    withdraw_all(all_of(OF_TASK, task_id))
end

--- The facts of a task, after withdraw_task() and a change of what they derive from.
function facts.record_task(task_id)
    record_all(all_of(OF_TASK, task_id))
end

--- A project is about to lose its tasks (FF-17).
function facts.empty_project(project_id)
    local rows = all_of(OF_PROJECT, project_id)
    withdraw_all(rows)
    for _, row in ipairs(rows) do
        row.project_id = 0
    end
    record_all(rows)
end

--- All facts there should be, for verification; a slice of tasks at a time.
function facts.recount(emit)
    local last = db.value "SELECT MAX(id) FROM tasks" or 0
    for from = 0, last - 1, TASKS_AT_ONCE do
        local to = from + TASKS_AT_ONCE
        local rows = db.all(OF_RANGE, from, to, from, to, from, to, from, to, from, to)
        for _, fact in ipairs(facts_of(rows, 1)) do
            emit(fact)
        end
    end
end

return facts
