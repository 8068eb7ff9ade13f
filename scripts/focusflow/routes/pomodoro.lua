-- SPDX-License-Identifier: Apache-2.0
--
-- 4.1 to 4.4: the active session, breaks, and the history of sessions.
local conditions = require "lib.conditions"
local rows = require "present.sessions"
local rules = require "rules.sessions"
local sessions = require "sessions"
local settled = require "settled"
local view = require "view"
local workflow = require "workflow"

local NEWEST_FIRST = { "-started_at" }
local BREAK_LENGTH = {
    short = "SELECT short_break FROM users WHERE id = ?",
    long = "SELECT long_break FROM users WHERE id = ?",
}

-- A break belongs where the work does that it interrupts; before any work, where new work goes.
local WORK_BEFORE = [[
SELECT 1 AS known, t.organization_id FROM pomodoro_sessions s JOIN tasks t ON t.id = s.task_id
 WHERE s.user_id = ? AND s.is_break = 0 ORDER BY s.started_at DESC, s.id DESC LIMIT 1]]

local function active(req)
    local session = sessions.open_of(req.user.id)
    if not session or rules.is_over(session, req.now) then
        fail.not_found "No active session."
    end
    return 200, {
        id = session.id,
        task = session.task_id and db.one("SELECT id, title FROM tasks WHERE id = ?", session.task_id),
        started_at = session.started_at,
        duration_minutes = session.duration_minutes,
        is_break = session.is_break,
        is_paused = rules.state(session) == "paused",
        elapsed_seconds = rules.elapsed_seconds(session, req.now),
        remaining_seconds = rules.remaining_seconds(session, req.now),
    }
end

local function begin_break(req, tx)
    local break_type = req.body.break_type
    local minutes = db.value(BREAK_LENGTH[break_type], req.user.id)
    local home = req.user.organization_id
    local place = home and (db.one(WORK_BEFORE, req.user.id) or req.user)
    return 201, workflow.begin_break(tx, req.user.id, place and place.organization_id, break_type, minutes, req.now)
end

local function complete(req, tx)
    local session = sessions.find(req.params.id)
    if not session or session.user_id ~= req.user.id then
        fail.not_found()
    end
    workflow.finish(tx, session, req.now)
    return 200, {
        id = session.id,
        completed = session.completed,
        ended_at = session.ended_at,
        actual_duration_seconds = session.banked,
    }
end

local function list(req)
    local query = req.query
    local where = conditions.new("user_id = ?", req.user.id)
    where:filter("task_id = ?", query.task):filter("is_break = ?", query.is_break)
    if query.date then
        where:add("started_at >= ? AND started_at < ?", time.day(req.user.timezone, query.date))
    end
    return 200, view.list(req, rows, where, NEWEST_FIRST)
end

return {
    name = "pomodoro",
    summary = "Focus sessions and breaks.",
    GET "/api/v1/pomodoro/active/" {
        summary = "Get the active session",
        description = "Also a paused one, whose figures stand still, and a running break.",
        who = "user",
        limit = "standard",
        returns = { [200] = "ActiveSession" },
        errors = { [404] = "No active session." },
        run = active,
    },
    POST "/api/v1/pomodoro/break/start/" {
        summary = "Start a break",
        who = "user",
        limit = "standard",
        body = { break_type = one_of { "short", "long", default = "short" } },
        returns = { [201] = "Break" },
        errors = { [409] = "A session is open." },
        run = settled.write(begin_break),
    },
    POST "/api/v1/pomodoro/sessions/{id}/complete/" {
        summary = "Complete a session",
        description = "Ends a focus session or a break early; the task keeps its state.",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "SessionCompleted" },
        errors = { [404] = "The user has no such session.", [409] = "The session has already ended." },
        run = settled.write(complete),
    },
    GET "/api/v1/pomodoro/sessions/" {
        summary = "List my sessions",
        who = "user",
        limit = "standard",
        query = {
            date = doc("Filter by the date of the start, in the user's time zone.", optional(date)),
            task = doc("Filter by task ID.", optional(integer)),
            is_break = doc("true: breaks only, false: focus sessions only.", optional(boolean)),
            page = view.paging.page,
            page_size = view.paging.page_size,
        },
        returns = { [200] = "SessionPage" },
        errors = { [404] = "There is no such page." },
        run = list,
    },
}
