-- SPDX-License-Identifier: Apache-2.0
--
-- What specs have beside busted's words: `client` asks the app as its users do, `clock` moves the time, `captured`
-- shows what would have left. Called with the host and the globals of scripts; returns these three and fresh(), which
-- makes everything as it was before the first spec.
local UNITS = { s = 1, m = 60, h = 3600, d = 86400 }
local TIMERS_MAX = 10000

local DELIVERIES = [[
SELECT o.event, o.headers, o.body, w.url, w.owner FROM perigee_outbox o JOIN perigee_webhooks w ON w.id = o.webhook
 ORDER BY o.seq]]

return function(host, globals)
    local json, db, time, mail, auth = globals.json, globals.db, globals.time, globals.mail, globals.auth
    local shifted, ears = 0, {}

    -- ---- answers -------------------------------------------------------------------------------------------------
    local Response = {}
    Response.__index = Response

    --- Raises unless the answer has this status; the answer.
    function Response:expect(status)
        if self.status ~= status then
            error(string.format("%s answered %d, not %d:\n%s", self.request, self.status, status, self.text), 2)
        end
        return self
    end

    local function response_of(request, bytes)
        local head, text = bytes:match "^(.-)\r\n\r\n(.*)$"
        local status = head and tonumber(head:match "^HTTP/1%.1 (%d+)")
        if not status then
            error(request .. " got no answer", 3)
        end
        local headers = {}
        for name, value in head:gmatch "\r\n([^:\r\n]+): ?([^\r\n]*)" do
            headers[name:lower()] = value
        end
        local is_json = (headers["content-type"] or ""):find "^application/json"
        return setmetatable({
            request = request,
            status = status,
            headers = headers,
            text = text,
            body = is_json and text ~= "" and json.decode(text) or nil,
        }, Response)
    end

    -- ---- requests ------------------------------------------------------------------------------------------------
    local Client = {}
    Client.__index = Client

    local function client_with(headers)
        return setmetatable({ headers = headers }, Client)
    end

    local function merged(one, other)
        local all = {}
        for _, headers in ipairs { one, other or {} } do
            for name, value in pairs(headers) do
                all[name:lower()] = tostring(value)
            end
        end
        return all
    end

    --- A request with any method. A table as the body is sent as JSON, a text as it is.
    function Client:request(method, path, body, headers)
        host.settle()
        local all = merged(merged({ host = "localhost" }, self.headers), headers)
        if type(body) == "table" then
            body = next(body) == nil and "{}" or json.encode(body)
            all["content-type"] = all["content-type"] or "application/json"
        end
        all.connection = "close"
        if body or method ~= "GET" then
            all["content-length"] = tostring(#(body or ""))
        end
        local lines = { method .. " " .. path .. " HTTP/1.1" }
        for name, value in pairs(all) do
            if (name .. value):find "[\r\n]" then
                error("a header of a request has a line break", 2)
            end
            lines[#lines + 1] = name .. ": " .. value
        end
        lines[#lines + 1] = "\r\n" .. (body or "")
        return response_of(method .. " " .. path, host.exchange(table.concat(lines, "\r\n")) or "")
    end

    function Client:get(path, headers)
        return self:request("GET", path, nil, headers)
    end

    for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
        Client[method:lower()] = function(self, path, body, headers)
            return self:request(method, path, body, headers)
        end
    end

    --- A client that sends these headers with every request, beside those of this one.
    function Client:with(headers)
        return client_with(merged(self.headers, headers))
    end

    --- A client with this bearer token or API key.
    function Client:as(token)
        return self:with { authorization = "Bearer " .. token }
    end

    --- Whether rate limits count; they do not unless a spec wants them to.
    function Client:limits(on)   -- luacheck: ignore self
        host.limits(on)
    end

    local client = client_with {}

    -- ---- time ----------------------------------------------------------------------------------------------------
    local clock = { now = time.now }

    -- 90, "90s", "25m", "1h30m", "7d" → seconds
    local function seconds_of(duration)
        if math.type(duration) == "integer" then
            return duration
        end
        local sum = 0
        local rest = tostring(duration):gsub("(%d+)([smhd])", function(n, unit)
            sum = sum + math.tointeger(n) * UNITS[unit]
            return ""
        end)
        if rest ~= "" or duration == "" then
            error(string.format("'%s' is no duration: write \"25m\", \"1h30m\", \"7d\" or seconds", duration), 3)
        end
        return sum
    end

    -- The server answers when all timers that are due have fired.
    local function move(seconds)
        shifted = shifted + seconds
        client:post("/-/clock", { advance_seconds = seconds }):expect(200)
    end

    --- Moves the time. Timers fire on the way, each when it is due.
    function clock.advance(duration)
        host.settle()
        local target = time.now() + seconds_of(duration)
        for _ = 1, TIMERS_MAX do
            local due = db.value "SELECT MIN(next_at) FROM perigee_timers"
            if not due or due > target then
                move(target - time.now())
                return
            end
            move(math.max(due - time.now(), 0))
        end
        error("timers that set each other never come to an end", 2)
    end

    --- Moves the time forward to an instant, as in "2025-01-20T10:00:00Z".
    function clock.set(instant)
        local target = time.parse(instant) or error(tostring(instant) .. " is no ISO 8601 date-time", 2)
        if target < time.now() then
            error("the clock of specs goes forward: it is " .. time.iso(time.now()) .. " already", 2)
        end
        clock.advance(target - time.now())
    end

    -- ---- what would have left ------------------------------------------------------------------------------------
    local captured = {}

    --- Mail to somebody, or all of it, in the order in which it was sent.
    function captured.mail(to)
        host.settle()
        local sent, inorder = mail.list { to = to, limit = 100 }, {}
        for i = #sent, 1, -1 do
            inorder[#inorder + 1] = sent[i]
        end
        return inorder
    end

    --- Deliveries of webhooks: { event, url, owner, headers, text, body }, as they would be sent.
    function captured.webhooks(event)
        host.settle()
        local list = {}
        for _, row in ipairs(db.all(DELIVERIES)) do
            if not event or row.event == event then
                local headers = {}
                for name, value in row.headers:gmatch "([^:\n]+): ([^\n]*)" do
                    headers[name:lower()] = value
                end
                list[#list + 1] = { event = row.event, url = row.url, owner = row.owner, headers = headers,
                    text = row.body, body = json.decode(row.body) }
            end
        end
        return list
    end

    --- Listens to a room from now on.
    function captured.listen(room)
        host.settle()
        local ear = host.ear()
        host.listen(ear, room)
        ears[room] = ear
    end

    --- What was published in a room since captured.listen(room).
    function captured.events(room)
        host.settle()
        local list = {}
        for i, text in ipairs(host.heard(ears[room] or error("captured.listen(\"" .. room .. "\") comes first", 2))) do
            list[i] = json.decode(text)
        end
        return list
    end

    -- ---- between files -------------------------------------------------------------------------------------------

    local function fresh()
        for _, ear in pairs(ears) do
            host.deafen(ear)
        end
        ears = {}
        host.limits(false)
        db.transaction(function()
            host.wipe()
            auth.revoke()
        end)
        host.settle()
        if shifted ~= 0 then
            move(-shifted)
        end
    end

    return { client = client, clock = clock, captured = captured, fresh = fresh }
end
