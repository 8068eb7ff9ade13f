-- SPDX-License-Identifier: Apache-2.0
--
-- Weeks of work of one person, done by the same functions that users' requests run. A worker is { id, timezone,
-- organization_id or nil, projects = { { id =, titles = }, … } }. Relative to now and otherwise always the same.
local facts = require "analytics"
local workflow = require "workflow"
local work = {}

local FOCUS, BREAK = 25, 5
local HOUR, MINUTE = 3600, 60

--- A function that throws dice: small, and the same on every machine.
function work.new_dice(seed)
    local state = seed
    return function(n)
        state = (state * 1103515245 + 12345) % 2147483648
        return state // 65536 % n + 1
    end
end

--- Projects of the user, and of the organization unless that is nil, as workers want them.
function work.create_projects(tx, user_id, organization_id, projects, at)
    local created = {}
    for i, project in ipairs(projects) do
        local id = tx.insert("projects", {
            user_id = user_id,
            organization_id = organization_id,
            name = project[1],
            color_code = project[2],
            description = "Part of the demo.",
            created_at = at,
        })
        created[i] = { id = id, titles = table.move(project, 3, #project, 1, {}) }
    end
    return created
end

--- A new task as workflow wants it.
function work.create_task(tx, worker, project_id, title, pomodoros, at)
    local id = tx.insert("tasks", {
        user_id = worker.id,
        project_id = project_id,
        organization_id = worker.organization_id,
        title = title,
        description = "Part of the demo.",
        estimated_pomodoros = pomodoros,
        created_at = at,
    })
    if worker.organization_id then
        facts.task_created(id)
    end
    return workflow.task(worker.id, id)
end

-- Works `pomodoros` focus sessions on a new task, the first with a pause in it now and then, a break after each.
-- Returns when it is over, or nil if that would be later than `now`.
local function work_on(tx, worker, project_id, title, pomodoros, dice, at, now)
    local paused = dice(4) == 1 and 3 * MINUTE or 0
    if at + pomodoros * (FOCUS + BREAK + 1) * MINUTE + paused > now then
        return nil
    end
    local task = work.create_task(tx, worker, project_id, title, pomodoros + dice(2) - 1, at)
    for i = 1, pomodoros do
        local session = workflow.start(tx, task, FOCUS, at)
        at = at + FOCUS * MINUTE
        if i == 1 and paused > 0 then
            workflow.pause(tx, task, at - 10 * MINUTE)
            session = workflow.resume(tx, task, at - 10 * MINUTE + paused)
            at = at + paused
        end
        workflow.finish(tx, session, at)
        local rest = workflow.begin_break(tx, worker.id, worker.organization_id, "short", BREAK, at)
        at = at + BREAK * MINUTE
        workflow.finish(tx, rest, at)
        at = at + dice(60)
    end
    workflow.complete(tx, task, at)
    return at
end

--- One day: from nine in the morning, up to four tasks; fewer at weekends; not beyond `now`.
function work.work_a_day(tx, worker, day, dice, now)
    local _, _, weekday = time.iso_week(day)
    local at = time.day(worker.timezone, day) + 9 * HOUR + dice(40) * MINUTE
    local tasks = weekday >= 6 and dice(3) - 1 or 1 + dice(3)
    for _ = 1, tasks do
        local project = worker.projects[dice(#worker.projects)]
        local title = project.titles[dice(#project.titles)]
        at = work_on(tx, worker, project.id, title, dice(3), dice, at, now)
        if not at then
            return
        end
        at = at + dice(90) * MINUTE
    end
end

--- Begins a pomodoro on a new task, so many minutes ago.
function work.begin(tx, worker, title, minutes_ago, now)
    local at = now - minutes_ago * MINUTE
    local project = worker.projects[1]
    workflow.start(tx, work.create_task(tx, worker, project.id, title, 2, at), FOCUS, at)
end

return work
