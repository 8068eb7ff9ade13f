-- SPDX-License-Identifier: Apache-2.0
local projects = require "present.projects_base"
local view = require "view"

local columns, found = projects.item.columns:gsub("%(SELECT o%.slug [^)]*%) AS organization,%s*", "")
assert(found == 1)
projects.item = view.new { table = "projects", alias = "p", columns = columns }

return projects
