-- SPDX-License-Identifier: Apache-2.0
--
-- Busted inside the host (runtime/lua/spec_run.c): runs with all of Lua's libraries. Specs see the globals of scripts,
-- busted's words, and `host`: call(fn, …), phase(name, fn, …), script(text), sandbox. Returns
-- main(host, arguments) → whether everything passed.
local BLOCKS = {
    it = true, finally = true, before_each = true, after_each = true, lazy_setup = true, lazy_teardown = true,
    strict_setup = true, strict_teardown = true,
}

-- Files of the app and of lib/ come before files of the same name elsewhere.
local function script_searcher(host)
    return function(name)
        local folder = name:find("^lib%.") and host.scripts or host.folder
        local file = io.open(string.format("%s/%s.lua", folder, (name:gsub("%.", "/"))))
        if file then
            file:close()
            return function() return host.module(name) end, name
        end
        return "no script " .. name
    end
end

-- The blocks that hold a spec's code run as calls of their own.
local function run_blocks_as_calls(host)
    if not package.searchpath("busted.core", package.path) then
        error("not installed, so specs cannot run: install lua-busted, or set --release-specs off", 0)
    end
    local make = require "busted.core"
    package.loaded["busted.core"] = function()
        local busted = make()
        local safe = busted.safe
        function busted.safe(descriptor, run, element)
            if BLOCKS[descriptor] and (descriptor == "finally" or run == element.run) then
                return host.call(safe, descriptor, run, element)
            end
            return safe(descriptor, run, element)
        end
        return busted
    end
end

return function(host, arguments)
    local status = 0
    local quit = {}
    _G.host, _G.arg = host, arguments
    rawset(os, "exit", function(code)
        status = (code == true or code == nil) and 0 or code
        error(quit)
    end)
    run_blocks_as_calls(host)
    local run = require "busted.runner"
    table.insert(package.searchers, 2, script_searcher(host))
    local ok, why = pcall(run, { standalone = false })
    if not ok and why ~= quit then
        error(why, 0)
    end
    return status == 0
end
