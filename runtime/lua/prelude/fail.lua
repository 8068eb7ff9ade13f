-- SPDX-License-Identifier: Apache-2.0
--
-- `fail`: the ways in which a handler ends with an error answer. A failure is a table with a status; the host rolls the
-- request's transaction back and writes the app's envelope. A missing code comes from the manifest's `codes`.
local host = ...
local Failure = { __name = "failure" }

function Failure.__tostring(f)
    return string.format("%d %s", f.status, f.message or "")
end

local function raise(status, code, message, details)
    if math.type(status) ~= "integer" or status < 400 or status > 599 then
        error("fail(status, code, message, details): status must be an integer from 400 to 599", 3)
    end
    error(setmetatable({ status = status, code = code, message = message, details = details }, Failure), 0)
end

local function lists(details)
    local out = {}
    for field, messages in pairs(details) do
        out[field] = type(messages) == "table" and messages or { messages }
    end
    return out
end

local fail = {}
function fail.not_found(message) raise(404, nil, message or "Resource not found") end
function fail.conflict(message) raise(409, nil, message or "Resource conflict") end
function fail.forbidden(message) raise(403, nil, message or "Insufficient permissions") end
function fail.unauthorized(message, code) raise(401, code, message or "Invalid credentials") end
function fail.validation(details)
    if type(details) ~= "table" then
        error('fail.validation takes a table, as in fail.validation{ title = "Too long." }', 2)
    end
    raise(host.invalid_status(), nil, "Invalid input data", lists(details))
end

return setmetatable(fail, {
    __call = function(_, status, code, message, details) raise(status, code, message, details) end,
})
