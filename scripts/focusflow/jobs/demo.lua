-- SPDX-License-Identifier: Apache-2.0
--
-- A week of work of one of the demo's employees (demo.lua). In the last one, some are in the middle of something.
local cast = require "demo.cast"
local work = require "demo.work"

local PROJECTS = "SELECT id FROM projects WHERE organization_id = ? ORDER BY id LIMIT ?"

local function worker_of(args)
    local worker = {
        id = args.user_id,
        timezone = cast.employees[args.employee].timezone,
        organization_id = args.organization_id,
        projects = {},
    }
    for i, row in ipairs(db.all(PROJECTS, args.organization_id, #cast.shared_projects)) do
        local project = cast.shared_projects[i]
        worker.projects[i] = { id = row.id, titles = table.move(project, 3, #project, 1, {}) }
    end
    return worker
end

local function work_a_week(tx, args)
    local now, worker = time.now(), worker_of(args)
    local today = time.today(worker.timezone, now)
    local first = time.add_days(today, 1 - cast.DAYS + 7 * (args.week - 1))
    local days = args.last and 6 or 7   -- today is still going on
    work.work_days(tx, worker, first, days, work.new_dice(100 * args.employee + args.week), now)
    if args.last then
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
