-- SPDX-License-Identifier: Apache-2.0
--
-- A week of work of the demo's owner (number 0) for himself, or of an employee (demo.lua). In the last one, some are in
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

local function work_a_week(tx, args)
    local now, worker = time.now(), worker_of(args)
    local today = time.today(worker.timezone, now)
    local first = time.add_days(today, 1 - cast.DAYS + 7 * (args.week - 1))
    local days = args.last and args.organization_id and 6 or 7   -- today is still going on
    work.work_days(tx, worker, first, days, work.new_dice(100 * args.employee + args.week), now)
    if args.last and not args.organization_id then
        for i, title in ipairs(cast.demo.waiting) do
            work.create_task(tx, worker, worker.projects[i].id, title, i, now)
        end
    elseif args.last then
        work.create_task(tx, worker, worker.projects[1].id, cast.shared_waiting[args.employee], args.employee, now)
        if args.employee % 2 == 1 then
            work.begin(tx, worker, "Code review", 5 * args.employee, now)
        end
    end
end

return {
    ["demo.week"] = function(_, args)
        db.transaction(function(tx)
            work_a_week(tx, args)
        end)
    end,
}
