-- SPDX-License-Identifier: Apache-2.0
--
-- A WHERE clause that grows with the filters a request gives. Pure: values are only ever bound, never written into the
-- text.
local conditions = {}
conditions.__index = conditions

--- Begins with a condition that always holds, as in conditions.new("user_id = ?", user.id).
function conditions.new(sql, ...)
    return setmetatable({ terms = {}, values = {} }, conditions):add(sql, ...)
end

function conditions:add(sql, ...)
    self.terms[#self.terms + 1] = sql
    for _, value in ipairs { ... } do
        self.values[#self.values + 1] = value
    end
    return self
end

--- Adds the condition unless the filter was left out; false is a value.
function conditions:filter(sql, value)
    if value ~= nil then
        self:add(sql, value)
    end
    return self
end

function conditions:sql()
    return table.concat(self.terms, " AND ")
end

--- The values in the order of their places, and after them those of what follows the clause, as in "LIMIT ?".
function conditions:bound(...)
    local values = table.move(self.values, 1, #self.values, 1, {})
    return table.unpack(table.move({ ... }, 1, select("#", ...), #values + 1, values))
end

return conditions
