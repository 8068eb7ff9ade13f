-- SPDX-License-Identifier: Apache-2.0
--
-- A day's work of the demo's owner (number 0) for himself, or of an employee (demo.lua). On the last one, some are in
-- the middle of something.
local cast = require "demo.cast"
local work = require "demo.work"

local SHARED = "SELECT id FROM projects WHERE organization_id = ? ORDER BY id LIMIT ?"
local OWN = "SELECT id FROM projects WHERE user_id = ? AND organization_id IS NULL ORDER BY id LIMIT ?"

local function worker_of(args)
    local person = cast.employees[args.employee] or cast.demo
    local projects = person.projects or cast.shared_projects
    local rows = args.organization_id and db.all(SHARED, args.organization_id, #projects)
        or db.all(OWN, args.user_id, #projects)
    local worker = {
        id = args.user_id,
        timezone = person.timezone,
        organization_id = args.organization_id,
        projects = {},
    }
    for i, row in ipairs(rows) do
        local project = projects[i]
        worker.projects[i] = { id = row.id, titles = table.move(project, 3, #project, 1, {}) }
    end
    return worker
end

-- What is still to do, and who is at it just now. The owner's own last day is a day like the others.
local function work_today(tx, worker, employee, now)
    if employee == 0 then
        for i, title in ipairs(cast.demo.waiting) do
            work.create_task(tx, worker, worker.projects[i].id, title, i, now)
        end
        return
    end
    work.create_task(tx, worker, worker.projects[1].id, cast.shared_waiting[employee], employee, now)
    if employee % 2 == 1 then
        work.begin(tx, worker, "Code review", 5 * employee, now)
    end
end

local function work_a_day(tx, args)
    local now, worker = time.now(), worker_of(args)
    local today = args.day == cast.DAYS
    if not today or args.employee == 0 then
        local day = time.add_days(time.today(worker.timezone, now), args.day - cast.DAYS)
        work.work_a_day(tx, worker, day, work.new_dice(100 * args.employee + args.day), now)
    end
    if today then
        work_today(tx, worker, args.employee, now)
    end
end

return {
    ["demo.day"] = function(_, args)
        db.transaction(function(tx)
            work_a_day(tx, args)
        end)
    end,
}
