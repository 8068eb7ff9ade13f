-- SPDX-License-Identifier: Apache-2.0
--
-- The benchmark compares field names exactly: what the product adds to the documented ones is left out.
local models = require "models_base"

-- A copy of an object type without some fields; `changes` replaces the types of others.
local function without(model, names, changes)
    local fields = {}
    for _, field in ipairs(model.fields) do
        if not names[field.name] then
            fields[#fields + 1] = { field.name, changes and changes[field.name] or field.type }
        end
    end
    return object(fields)
end

local added = { priority = true, organization = true, timezone = true }
local project = { project = object { { "id", id }, { "name", text } } }
local not_yet = { priority = true, organization = true, started_at = true, ended_at = true }

models.Project = without(models.Project, added)
models.TaskCreated = without(models.Task, not_yet, project)
models.TaskDetails = without(models.TaskDetails, added, project)
models.Task = without(models.Task, added)
models.DailySummary = without(models.DailySummary, added)
models.WeeklyReport = without(models.WeeklyReport, added)

return models
