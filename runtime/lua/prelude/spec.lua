-- SPDX-License-Identifier: Apache-2.0
--
-- Busted inside the host (runtime/lua/spec_run.c): runs with all of Lua's libraries. Specs see the globals of scripts,
-- busted's words, `client`, `clock` and `captured` (spec_client.lua), and `host`: call(fn, …), phase(name, fn, …),
-- script(text), sandbox. Returns main(host, open_client, open_report, arguments) → whether everything passed.
local BLOCKS = {
    it = true, finally = true, before_each = true, after_each = true, lazy_setup = true, lazy_teardown = true,
    strict_setup = true, strict_teardown = true,
}

-- Files of the app and of lib/ come before files of the same name elsewhere. What several specs share lies beside them
-- in spec/ and has what they have.
local function script_searcher(host)
    return function(name)
        local folder = name:find("^lib%.") and host.scripts or host.folder
        local path = string.format("%s/%s.lua", folder, (name:gsub("%.", "/")))
        local file = io.open(path)
        if not file then
            return "no script " .. name
        end
        file:close()
        if name:find "^spec%." then
            return assert(loadfile(path)), path
        end
        return function() return host.module(name) end, name
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
        -- A block that was ended (its deadline, its memory) could not even tell busted.
        local function ended(descriptor, element, why)
            local trace, text = element.trace or { short_src = "?", currentline = 0 }, tostring(why)
            if text:find("busted/core.lua", 1, true) then   -- it looked in vain for the place of an error without one
                text = "not enough memory"
            end
            busted.publish({ "error", descriptor }, element, busted.context.parent(element), text, trace)
            busted.context.pop()
            return busted.status "error"
        end
        function busted.safe(descriptor, run, element)
            if not BLOCKS[descriptor] or descriptor ~= "finally" and run ~= element.run then
                return safe(descriptor, run, element)
            end
            local results = table.pack(pcall(host.call, safe, descriptor, run, element))
            if not results[1] then
                return ended(descriptor, element, results[2])
            end
            return table.unpack(results, 2, results.n)
        end
        return busted
    end
end

-- Every file begins with an empty database, the real time, nothing captured.
local function begin_files_anew(host, fresh)
    require("busted").subscribe({ "file", "start" }, function()
        host.call(fresh)
        return nil, true
    end)
end

return function(host, open_client, open_report, arguments)
    local status = 0
    local quit = {}
    _G.host, _G.arg = host, arguments
    rawset(os, "exit", function(code)
        status = (code == true or code == nil) and 0 or code
        error(quit)
    end)
    run_blocks_as_calls(host)
    local own = open_client(host, host.sandbox)
    _G.client, _G.clock, _G.captured = own.client, own.clock, own.captured
    local report = open_report(host, host.sandbox.json)
    package.preload["busted.outputHandlers.perigee"] = function()
        return function(options)
            begin_files_anew(host, own.fresh)
            return report(options)
        end
    end
    local run = require "busted.runner"
    table.insert(package.searchers, 2, script_searcher(host))
    local ok, why = pcall(run, { standalone = false })
    if not ok and why ~= quit then
        error(why, 0)
    end
    return status == 0
end
