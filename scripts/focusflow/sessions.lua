-- SPDX-License-Identifier: Apache-2.0
--
-- The rows of pomodoro sessions: begin, pause, resume, end. Whether an action is allowed is for rules.sessions to say;
-- callers have asked. A running session has a timer under its key that ends it at its planned end (FF-23).
local facts = require "analytics"
local happenings = require "happenings"
local rules = require "rules.sessions"
local sessions = {}

local SELECT = [[
SELECT s.id, s.user_id, s.task_id, s.is_break AS "is_break:bool", s.duration_minutes, s.started_at, s.resumed_at,
       s.paused_at, s.ends_at, s.ended_at,
       COALESCE(s.organization_id, (SELECT organization_id FROM tasks WHERE id = s.task_id)) AS organization_id,
       (SELECT COALESCE(SUM(ended_at - started_at), 0) FROM session_spans WHERE session_id = s.id) AS banked
  FROM pomodoro_sessions s WHERE ]]

--- The user's open session, or nil.
function sessions.open_of(user_id)
    return db.one(SELECT .. "s.user_id = ? AND s.ended_at IS NULL", user_id)
end

function sessions.find(id)
    return db.one(SELECT .. "s.id = ?", id)
end

local function timer_key(id)
    return "session:" .. id
end

local function set_timer(session)
    timer.at(timer_key(session.id), session.ends_at, "session.end", { id = session.id })
end

--- Begins a focus session { user_id, task_id, minutes } or a break { user_id, organization_id, break_type, minutes }
--- and returns it.
function sessions.begin(tx, new, at)
    local session = {
        user_id = new.user_id,
        task_id = new.task_id,
        organization_id = new.organization_id,
        is_break = new.task_id == nil,
        break_type = new.break_type,
        duration_minutes = new.minutes,
        started_at = at,
        resumed_at = at,
        ends_at = at + new.minutes * 60,
    }
    -- Two requests may have seen that nothing is open; the unique index lets one of them through (FF-21).
    local id = tx.insert_new("pomodoro_sessions", session) or fail.conflict "A session is already open."
    session.id, session.banked = id, 0
    set_timer(session)
    return session
end

local function bank(tx, session, at)
    local span = rules.span(session, at)
    if span then
        tx.insert("session_spans", {
            session_id = session.id,
            started_at = span.started_at,
            ended_at = span.ended_at,
        })
        session.banked = session.banked + span.ended_at - span.started_at
    end
end

function sessions.pause(tx, session, at)
    at = rules.moment(session, at)
    bank(tx, session, at)
    session.paused_at, session.ends_at = at, nil
    tx.update("pomodoro_sessions", { paused_at = at, ends_at = null }, "id = ?", session.id)
    timer.cancel(timer_key(session.id))
end

function sessions.resume(tx, session, at)
    at = rules.moment(session, at)
    session.resumed_at, session.paused_at, session.ends_at = at, nil, rules.planned_end(session, at)
    tx.update("pomodoro_sessions", {
        resumed_at = at,
        paused_at = null,
        ends_at = session.ends_at,
    }, "id = ?", session.id)
    set_timer(session)
end

--- Ends an open session; `how` is a key of rules.completes. Its task's sums and the facts are up to the caller, who
--- knows what else changes: sessions.finish or workflow.complete.
function sessions.close(tx, session, at, how)
    local completed = rules.completes[how]
    at = rules.moment(session, at)
    bank(tx, session, at)
    session.ended_at, session.completed = at, completed
    tx.update("pomodoro_sessions", {
        ended_at = at,
        paused_at = null,
        ends_at = null,
        actual_duration_seconds = session.banked,
        completed = completed,
    }, "id = ?", session.id)
    timer.cancel(timer_key(session.id))
end

--- Ends an open session; the task keeps its state.
function sessions.finish(tx, session, at, how)
    sessions.close(tx, session, at, how)
    if not session.is_break then
        tx.run([[UPDATE tasks SET total_focus_seconds = total_focus_seconds + ?,
            completed_pomodoros = completed_pomodoros + ? WHERE id = ?]],
            session.banked, session.completed and 1 or 0, session.task_id)
        facts.session_ended(session.id)
        if session.completed then
            happenings.pomodoro_completed(tx, session)
        end
    else
        happenings.break_ended(session)
    end
end

--- Ends a session whose time is up, at the time at which it was due (FF-23, X-17).
function sessions.elapse(tx, session, now)
    if rules.step("session", rules.state(session), "elapse") and rules.is_over(session, now) then
        sessions.finish(tx, session, session.ends_at, "elapsed")
    end
end

--- Deletes the sessions of a task; an open one is over (FF-17).
function sessions.delete_of(tx, task_id)
    local open = db.value("SELECT id FROM pomodoro_sessions WHERE task_id = ? AND ended_at IS NULL", task_id)
    if open then
        timer.cancel(timer_key(open))
    end
    tx.run([[DELETE FROM session_spans
        WHERE session_id IN (SELECT id FROM pomodoro_sessions WHERE task_id = ?)]], task_id)
    tx.run("DELETE FROM pomodoro_sessions WHERE task_id = ?", task_id)
end

return sessions
