-- SPDX-License-Identifier: Apache-2.0
--
-- as(user): requests of the console on behalf of a user. Nothing of them is kept without --write.
local METHODS = { "get", "post", "put", "patch", "delete" }

return function(h)
    local function exchange(principal, method, path, body)
        local host = h.real(h.app.hosts or {})[1] or "localhost"
        local lines = { method:upper() .. " " .. path .. " HTTP/1.1", "Host: " .. host, "Connection: close",
            "X-Perigee-Assume: " .. h.assume(json.encode(principal), h.keep) }
        if body ~= nil then
            body = json.encode(body)
            lines[#lines + 1] = "Content-Type: application/json"
            lines[#lines + 1] = "Content-Length: " .. #body
        elseif method ~= "get" then
            lines[#lines + 1] = "Content-Length: 0"
        end
        local answer = h.exchange(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""))
        local at = answer and answer:find("\r\n\r\n", 1, true)
        if not at then
            error("the server gave no answer that can be shown", 0)
        end
        local headers, text = {}, answer:sub(at + 4)
        for name, value in answer:sub(1, at + 1):gmatch "\n([^:\r\n]+): ([^\r\n]*)" do
            headers[name:lower()] = value
        end
        local value = json.decode(text)
        return { status = math.tointeger(tonumber(answer:sub(10, 12))), headers = headers, body = value or text,
            request_id = headers["x-request-id"], kept = h.keep }
    end

    return function(user)
        local principal = type(user) == "table" and user or { id = user }
        if math.type(principal.id) ~= "integer" then
            error("as takes a user's id, or his principal: as(7), as { id = 7, login = 3 }", 0)
        end
        local client = {}
        for _, method in ipairs(METHODS) do
            client[method] = function(path, body)
                if type(path) ~= "string" or not path:find "^/[^%s%c]*$" then
                    error(method .. " takes a path such as \"/api/v1/tasks/\"", 0)
                end
                return exchange(principal, method, path, body)
            end
        end
        return client
    end
end
