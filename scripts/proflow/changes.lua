-- SPDX-License-Identifier: Apache-2.0
--
-- Creating, changing and deleting an organization's objects. `name` is that of the view and of the events, which are
-- told in the same transaction.
local happenings = require "happenings"
local ids = require "ids"
local references = require "references"
local views = require "views"
local changes = {}

local PREFIX = { project = "proj", task = "task", team = "team", time_entry = "entry" }

-- NULL is what the column has anyway.
local function without_null(row)
    for column, value in pairs(row) do
        if value == null then
            row[column] = nil
        end
    end
    return row
end

--- Answers with a new object. Teams are created without a sound.
function changes.create(req, name, row)
    without_null(row)
    return 201, db.transaction(function(tx)
        references.require(req)
        row.id, row.organization, row.created_at = ids.new(PREFIX[name]), req.user.organization, req.now
        local object = views.object(name, tx.insert(views[name].table, row))
        if name ~= "team" then
            happenings.tell(req.user, name .. ".created", object)
        end
        return object
    end)
end

--- Answers with the object after the body's changes; a body without any changes nothing.
function changes.update(req, name)
    return 200, db.transaction(function(tx)
        references.require(req)
        local seq, object = views.find(name, req.user, req.params.id)
        local row = req.body
        if next(row) == nil then
            return object
        end
        row.updated_at = req.now
        tx.update(views[name].table, row, "seq = ?", seq)
        return happenings.tell(req.user, name .. ".updated", views.object(name, seq))
    end)
end

--- Answers that the object is gone; `before(tx, id)` takes away what belongs to it.
function changes.delete(req, name, before)
    return db.transaction(function(tx)
        local seq, object = views.find(name, req.user, req.params.id)
        if before then
            before(tx, req.params.id)
        end
        tx.run("DELETE FROM " .. views[name].table .. " WHERE seq = ?", seq)
        happenings.tell(req.user, name .. ".deleted", object)
        return 204
    end)
end

return changes
