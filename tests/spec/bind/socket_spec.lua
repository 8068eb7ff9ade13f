-- SPDX-License-Identifier: Apache-2.0
--
-- A socket exists only in a handler of a connection (tests/flow/test_sockets.py); here: who may not use one.
local methods = {
    send = function(socket) socket:send {} end,
    close = function(socket) socket:close() end,
    join = function(socket) socket:join "room" end,
    leave = function(socket) socket:leave "room" end,
    label = function(socket) socket:label "user:1" end,
    timeout = function(socket) socket:timeout(1) end,
    authenticate = function(socket) socket:authenticate "token" end,
}
local library = host.script("return socket")()

describe("socket", function()
    for name, use in pairs(methods) do
        it("socket:" .. name .. " belongs to a socket's handler", function()
            for _, phase in ipairs { "request", "rule", "job", "load" } do
                assert.error_matches(function() host.phase(phase, use, library) end,
                    "socket:" .. name .. " is not allowed")
            end
        end)

        it("socket:" .. name .. " takes nothing but a socket", function()
            assert.error_matches(function() host.phase("channel", use, library) end, "rt.socket expected")
        end)
    end
end)
