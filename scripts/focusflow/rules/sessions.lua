-- SPDX-License-Identifier: Apache-2.0
--
-- What may happen to tasks and pomodoro sessions, and how their time is counted. Pure: handlers load the rows, ask
-- here, and carry out the answer in the same transaction. Change the rules in `machine`.
local rules = {}

-- Minutes, where neither the request nor the user says otherwise (FF-22). Break lengths are always the user's.
rules.DEFAULT_FOCUS_MINUTES = 25

-- Conditions look at { task_id =, open = the user's open session or nil } and return why not, or nil.
local function no_session_of_this_task(context)
    if context.open and context.open.task_id == context.task_id then
        return "A session of this task is already open."
    end
end

local function no_focus_on_another_task(context)
    local open = context.open
    if open and not open.is_break and open.task_id ~= context.task_id then
        return "A focus session of another task is open."
    end
end

local function to(state, ...)
    return { state = state, conditions = { ... } }
end

local function no(message)
    return { refusal = message }
end

local start_next = to("in_progress", no_session_of_this_task, no_focus_on_another_task)
local not_in_progress = no "Only a task in progress can be paused."
local not_paused = no "Only a paused task can be resumed."
local is_completed = no "The task is already completed."
local is_ended = no "The session has already ended."
local is_open = no "A session is already open."

-- machine[subject][state][action]: the new state and its conditions, or the refusal (FF-20, FF-21, FF-27, FF-28).
-- A task may be in progress or paused without an open session, when the last one has ended by itself.
rules.machine = {
    task = {
        pending = {
            start = to("in_progress", no_focus_on_another_task),
            pause = not_in_progress,
            resume = not_paused,
            complete = to "completed",
        },
        in_progress = {
            start = start_next,
            pause = to "paused",
            resume = not_paused,
            complete = to "completed",
        },
        paused = {
            start = start_next,
            pause = not_in_progress,
            resume = to "in_progress",
            complete = to "completed",
        },
        completed = {
            start = is_completed,
            pause = is_completed,
            resume = is_completed,
            complete = is_completed,
        },
    },
    session = {
        none = { begin_break = to "running" },
        running = { begin_break = is_open, finish = to "ended", elapse = to "ended" },
        paused = { begin_break = is_open, finish = to "ended", elapse = no "A paused session's time stands still." },
        ended = { begin_break = to "running", finish = is_ended, elapse = is_ended },
    },
}

-- How a session ended → whether it counts as completed (FF-21, FF-24). A session whose time is up has elapsed before
-- anything else can end it.
rules.completes = {
    elapsed = true,          -- its planned time is over
    finished = true,         -- by the user, 4.3
    task_completed = false,  -- with its task, 3.9
    replaced = false,        -- a break, by the start of a task
}

--- The state after the action, or nil and why it is refused.
function rules.step(subject, state, action, context)
    local transition = rules.machine[subject][state][action]
    for _, condition in ipairs(transition.conditions or {}) do
        local refusal = condition(context)
        if refusal then
            return nil, refusal
        end
    end
    return transition.state, transition.refusal
end

-- A session is { duration_minutes, resumed_at, paused_at, ends_at, ended_at, banked }, where `banked` are the seconds
-- of its spans so far: the stretches up to the last pause.

function rules.state(session)
    if not session then
        return "none"
    end
    return session.ended_at and "ended" or session.paused_at and "paused" or "running"
end

--- When an action counts: at `at`, but never before the last one, whatever the clock did (X-17).
function rules.moment(session, at)
    return math.max(at, session.paused_at or session.resumed_at)
end

function rules.planned_seconds(session)
    return session.duration_minutes * 60
end

--- The stretch that a running session has been in since its last resume, or nil: a paused one is in none, and one of
--- no length is not kept.
function rules.span(session, at)
    if rules.state(session) == "running" and at > session.resumed_at then
        return { started_at = session.resumed_at, ended_at = at }
    end
end

--- Seconds without the pauses (FF-24, FF-25).
function rules.elapsed_seconds(session, at)
    local span = rules.span(session, at)
    return session.banked + (span and span.ended_at - span.started_at or 0)
end

function rules.remaining_seconds(session, at)
    return math.max(0, rules.planned_seconds(session) - rules.elapsed_seconds(session, at))
end

--- The planned end of a session that runs on from `at` (FF-23).
function rules.planned_end(session, at)
    return at + rules.planned_seconds(session) - session.banked
end

--- Whether the time of an open session is up.
function rules.is_over(session, at)
    return rules.state(session) == "running" and session.ends_at <= at
end

--- FF-22: the request's, the user's own, the organization's, 25.
function rules.focus_minutes(requested, users, organizations)
    return requested or users or organizations or rules.DEFAULT_FOCUS_MINUTES
end

return rules
