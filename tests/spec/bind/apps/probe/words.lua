-- SPDX-License-Identifier: Apache-2.0
local M = { loaded_at_load = true }

function M.all()
    return { "one", "two" }
end

function M.find_late(name)
    return require(name)
end

return M
