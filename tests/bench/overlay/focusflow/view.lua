-- SPDX-License-Identifier: Apache-2.0
local view = require "view_base"
local list = view.list

--- An unknown field is the default; projects are ordered by id.
function view.ordering(fields)
    local known = { total_focus_seconds = true }
    for _, field in ipairs(fields) do
        known[field] = true
    end
    view.known = known.title and known or view.known
    return text { default = known.title and "-created_at" or "id" }
end

function view.list(req, v, where, ordering)
    local asked = req.query.ordering
    if asked and asked ~= "id" and not view.known[(asked:gsub("^%-", ""))] then
        req.query.ordering = "-created_at"
    end
    return list(req, v, where, ordering)
end

return view
