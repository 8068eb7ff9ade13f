-- SPDX-License-Identifier: Apache-2.0
--
-- The routes that an organization's objects have alike: listing, creating, and getting, changing and deleting one. A
-- kind of object is { name =, many =, model =, path =, example = }: the name of its view and of its rules ("task.read",
-- "task.write", "task.delete"), the word for several, its model, where it is served, and what an id looks like.
local changes = require "changes"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local references = require "references"
local views = require "views"
local resource = {}

--- A route for members, by the limit of their keys.
function resource.route(word, path, rule, route)
    route.who, route.limit, route.can = "member", "key", rule
    return word(path)(route)
end

--- The list. `filters`: parameter → sentence; each compares the column of its name, unless `where` (parameter →
--- function(where, value, member)) says otherwise. `narrow(where, member)` leaves out what the member does not see.
function resource.list(kind, filters, where, narrow)
    local function run(req)
        local conds = conditions.new("organization = ?", req.user.organization)
        if narrow then
            narrow(conds, req.user)
        end
        for name in pairs(filters) do
            local value = req.query[name]
            if where and where[name] and value then
                where[name](conds, value, req.user)
            else
                conds:filter(name .. " = ?", value)
            end
        end
        return lists.list(req, views[kind.name], conds)
    end
    return resource.route(GET, kind.path, kind.name .. ".read", {
        summary = "List " .. kind.many,
        query = lists.query(filters),
        returns = { [200] = kind.model .. "Page" },
        run = run,
    })
end

--- Creating one, whose columns are the body's fields.
function resource.create(kind, body)
    return resource.route(POST, kind.path, kind.name .. ".write", {
        summary = "Create a " .. kind.name,
        body = body,
        check = references.check,
        returns = { [201] = kind.model },
        run = function(req)
            req.body.updated_at = req.now
            return changes.create(req, kind.name, req.body)
        end,
    })
end

local function one(kind, word, rule, route)
    route.params = { id = ids.type(kind.example) }
    route.errors = { [404] = "The organization has no such " .. kind.name .. "." }
    return resource.route(word, kind.path .. "/{id}", kind.name .. rule, route)
end

function resource.get(kind)
    return one(kind, GET, ".read", {
        summary = "Get a " .. kind.name,
        returns = { [200] = kind.model },
        run = function(req)
            return 200, select(2, views.find(kind.name, req.user, req.params.id))
        end,
    })
end

--- Changing one: what the body has.
function resource.update(kind, body)
    return one(kind, PATCH, ".write", {
        summary = "Update a " .. kind.name,
        body = body,
        check = references.check,
        returns = { [200] = kind.model },
        run = function(req)
            return changes.update(req, kind.name)
        end,
    })
end

--- Deleting one, after `before(tx, id)`.
function resource.delete(kind, description, before)
    return one(kind, DELETE, ".delete", {
        summary = "Delete a " .. kind.name,
        description = description,
        returns = { [204] = "none" },
        run = function(req)
            return changes.delete(req, kind.name, before)
        end,
    })
end

return resource
