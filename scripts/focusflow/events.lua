-- SPDX-License-Identifier: Apache-2.0
--
-- The socket of section 12: what is sent over it is decided in happenings.lua, here only who hears it (FF-52 to FF-55).
--
-- Rooms: "user:<id>" for the user's own events, "managers:<organization>" for managers and admins; being in
-- "organization:<organization>" only counts. Labels, by which others close a socket or take it out of a room:
-- "user:<id>", and "login:<id>" or "api_key:<id>".
local roles = require "rules.roles"

local TOKEN_SECONDS = 10
local UNAUTHENTICATED, TOO_MANY = 4401, 4429
local CONNECTIONS = 50

local MEMBERSHIPS = "SELECT organization_id FROM memberships WHERE user_id = ? AND is_active = 1 ORDER BY id"
local ROLE = "SELECT role FROM memberships WHERE user_id = ? AND organization_id = ? AND is_active = 1"

local function refuse(socket, message)
    socket:send { type = "error", data = { code = "AUTHENTICATION_FAILED", message = message } }
    socket:close(UNAUTHENTICATED, "Authentication failed.")
end

-- Joins a room, after what the client had of it already, if it says so; tells it when that is too long ago.
local function join(socket, room, after)
    local joined, why = socket:join(room, { after = after })
    if not joined and why == "resync" then
        socket:send { type = "resync", room = room }
    end
end

-- Roles are looked up right before each room, as joining may wait: a removal meanwhile either is seen here or takes the
-- socket out again.
local function manages(user, organization_id)
    return roles.at_least(db.value(ROLE, user.id, organization_id), "manager")
end

-- { room = the number of the last event that the client has }, of { room =, after = } or a list of such; what is none
-- is ignored.
local function resumed(message)
    local after = {}
    local wanted = type(message) == "table" and message.resume
    if type(wanted) == "table" then
        for _, one in ipairs(wanted.room and { wanted } or wanted) do
            if type(one) == "table" and type(one.room) == "string" and math.type(one.after) == "integer"
                and one.after >= 0 then
                after[one.room] = one.after
            end
        end
    end
    return after
end

local function join_all(socket, user, after)
    local own = "user:" .. user.id
    local list = db.all(MEMBERSHIPS, user.id)
    for _, membership in ipairs(list) do
        local id = membership.organization_id
        if db.value(ROLE, user.id, id) then
            local joined, why = socket:join("organization:" .. id, { limit = CONNECTIONS })
            if not joined and why == "full" then
                socket:close(TOO_MANY, "The organization has too many connections.")
                return
            end
        end
    end
    join(socket, own, after[own])
    for _, membership in ipairs(list) do
        local room = "managers:" .. membership.organization_id
        if manages(user, membership.organization_id) then
            join(socket, room, after[room])
        end
    end
end

local function authenticate(socket, token, after)
    local user, message = socket:authenticate(type(token) == "string" and token or "")
    if not user then
        refuse(socket, message)
        return
    end
    socket:timeout(nil)
    socket.data.user = { id = user.id }
    socket:label("user:" .. user.id)
    socket:label(user.login and "login:" .. user.login or "api_key:" .. user.api_key)
    join_all(socket, user, after)
end

-- A client that comes back names the last event it has of a room, and gets what it missed (an addition).
local function resume(socket, user, after)
    for room, number in pairs(after) do
        local organization_id = math.tointeger(room:match "^managers:(%d+)$")
        if room == "user:" .. user.id or organization_id and manages(user, organization_id) then
            join(socket, room, number)
        end
    end
end

return {
    name = "events",
    summary = "Events as they happen.",
    SOCKET "/ws/pomodoro/" {
        summary = "Receive events",
        description = [[
The first message is {"token": an access token}, unless the address has ?token=. Without a good one the socket is closed
with 4401, with too many connections of an organization with 4429; nothing acknowledges a good one. Events have `room`
and `seq` in addition: {"resume": {"room": …, "after": the last seq}}, beside the token or later, sends what was missed
since, or {"type": "resync", "room": …} when that is too long ago. Other messages are ignored.]],
        who = "anyone",
        query = { token = optional(text { max = 4096 }) },
        receives = {
            object {
                { "token", optional(text) },
                { "resume", optional(object { { "room", text }, { "after", integer } }) },
            },
        },
        sends = {
            "TaskStartedEvent", "TaskPausedEvent", "TaskResumedEvent", "TaskCompletedEvent", "PomodoroCompletedEvent",
            "BreakStartedEvent", "TaskAssignedEvent", "EmployeeTaskStartedEvent", "EmployeeTaskCompletedEvent",
            "EmployeeIdleEvent",
        },
        open = function(socket, req)
            if req.query.token then
                authenticate(socket, req.query.token, {})
            else
                socket:timeout(TOKEN_SECONDS)
            end
        end,
        message = function(socket, message)
            local user, after = socket.data.user, resumed(message)
            if user then
                resume(socket, user, after)
            else
                authenticate(socket, type(message) == "table" and message.token, after)
            end
        end,
        timeout = function(socket)
            refuse(socket, "No token came in time.")
        end,
    },
}
