-- SPDX-License-Identifier: Apache-2.0
--
-- The demo account with four weeks to look at (FF-61), made by the same functions that users' requests run. Relative to
-- now and otherwise always the same.
local accounts = require "accounts"
local workflow = require "workflow"

local EMAIL, PASSWORD, ZONE = "demo@focusflow.com", "DemoPass123!", "America/New_York"
local DAYS, FOCUS, BREAK = 28, 25, 5
local HOUR, MINUTE = 3600, 60

-- Name, colour, and what there is to do in it.
local PROJECTS = {
    { "Personal Development", "#FF5733", "Write blog post", "Read a chapter on databases", "Practise touch typing",
        "Learn Spanish vocabulary", "Plan the week" },
    { "Freelance Work", "#3498db", "Review pull requests", "Fix the invoice export", "Call with the client",
        "Draft the proposal", "Write release notes" },
    { "Home Renovation", "#2ecc71", "Compare floor tiles", "Measure the kitchen", "Sort old paperwork" },
}
local WAITING = { "Prepare the talk", "Renew the passport", "Answer the survey" }

-- Small, and the same on every machine.
local function new_dice()
    local state = 2025
    return function(n)
        state = (state * 1103515245 + 12345) % 2147483648
        return state // 65536 % n + 1
    end
end

local function create_user(tx, hash, now)
    return accounts.create(tx, {
        email = EMAIL,
        username = "demo",
        password_hash = hash,
        first_name = "Demo",
        last_name = "User",
        timezone = ZONE,
    }, now)
end

local function create_projects(tx, user_id, at)
    local ids = {}
    for i, project in ipairs(PROJECTS) do
        ids[i] = tx.insert("projects", {
            user_id = user_id,
            name = project[1],
            color_code = project[2],
            description = "Part of the demo.",
            created_at = at,
        })
    end
    return ids
end

local function create_task(tx, user_id, project_id, title, pomodoros, at)
    return workflow.task(user_id, tx.insert("tasks", {
        user_id = user_id,
        project_id = project_id,
        title = title,
        description = "Part of the demo.",
        estimated_pomodoros = pomodoros,
        created_at = at,
    }))
end

-- Works `pomodoros` focus sessions on a new task, the first with a pause in it now and then, a break after each.
-- Returns when it is over, or nil if that would be later than `now`.
local function work(tx, user_id, project_id, title, pomodoros, dice, at, now)
    local paused = dice(4) == 1 and 3 * MINUTE or 0
    if at + pomodoros * (FOCUS + BREAK + 1) * MINUTE + paused > now then
        return nil
    end
    local task = create_task(tx, user_id, project_id, title, pomodoros + dice(2) - 1, at)
    for i = 1, pomodoros do
        local session = workflow.start(tx, task, FOCUS, at)
        at = at + FOCUS * MINUTE
        if i == 1 and paused > 0 then
            workflow.pause(tx, task, at - 10 * MINUTE)
            session = workflow.resume(tx, task, at - 10 * MINUTE + paused)
            at = at + paused
        end
        workflow.finish(tx, session, at)
        local rest = workflow.begin_break(tx, user_id, nil, "short", BREAK, at)
        at = at + BREAK * MINUTE
        workflow.finish(tx, rest, at)
        at = at + dice(60)
    end
    workflow.complete(tx, task, at)
    return at
end

-- One day: from nine in the morning, up to four tasks; fewer at weekends.
local function work_a_day(tx, user_id, projects, day, dice, now)
    local _, _, weekday = time.iso_week(day)
    local at = time.day(ZONE, day) + 9 * HOUR + dice(40) * MINUTE
    local tasks = weekday >= 6 and dice(3) - 1 or 1 + dice(3)
    for _ = 1, tasks do
        local i = dice(#PROJECTS)
        local title = PROJECTS[i][2 + dice(#PROJECTS[i] - 2)]
        at = work(tx, user_id, projects[i], title, dice(3), dice, at, now)
        if not at then
            return
        end
        at = at + dice(90) * MINUTE
    end
end

return function()
    if db.value("SELECT 1 FROM users WHERE email_key = ?", EMAIL) then
        return
    end
    local hash = password.hash(PASSWORD)
    db.transaction(function(tx)
        local now, dice = time.now(), new_dice()
        local today = time.today(ZONE, now)
        local first = time.add_days(today, 1 - DAYS)
        local begin = time.day(ZONE, first)
        local user_id = create_user(tx, hash, begin)
        local projects = create_projects(tx, user_id, begin)
        for i = 0, DAYS - 1 do
            work_a_day(tx, user_id, projects, time.add_days(first, i), dice, now)
        end
        for i, title in ipairs(WAITING) do
            create_task(tx, user_id, projects[i], title, i, now)
        end
    end)
end
