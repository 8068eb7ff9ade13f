-- SPDX-License-Identifier: Apache-2.0
-- host.script(text) compiles as the server does: with the frozen globals.
local function run(text, ...)
    return assert(host.script(text))(...)
end

describe("the sandbox", function()
    it("lacks what reaches outside", function()
        for _, name in ipairs { "io", "os", "debug", "package", "load", "loadstring", "loadfile", "dofile",
            "collectgarbage",
            "print", "host", "arg", "describe" } do
            assert.is_nil(run("return " .. name), name)
        end
        assert.is_nil(run "return string.dump")
    end)

    it("has no way to binary chunks", function()
        local chunk, why = host.script(string.dump(function() end))
        assert.is_nil(chunk)
        assert.matches("attempt to load a binary chunk", why)
    end)

    it("refuses new globals and changes of libraries", function()
        assert.error_matches(function() run "counter = 1" end,
            "assignment to the undeclared global 'counter' %(use local%)")
        assert.error_matches(function() run "db.one = 1" end, "'db' is read%-only %(field 'one'%)")
        assert.error_matches(function() run "string.x = 1" end, "'string' is read%-only")
        assert.error_matches(function() run "table.sort = 1" end, "'table' is read%-only")
        assert.equal("read-only", run "return getmetatable(db)")
        assert.error_matches(function() run "setmetatable(string, nil)" end, "cannot change a protected metatable")
        assert.is_nil(run 'return getmetatable("")')
        assert.error_matches(function() run "rawset(math, 'x', 1)" end, "rawset: the table is read%-only")
        assert.equal(1, run "return rawset({}, 'x', 1).x")
    end)

    it("bounds what the watchdog cannot interrupt", function()
        assert.error_matches(function() run 'return string.rep("x", 1 << 30)' end, "the result would be longer than")
        assert.error_matches(function() run [[
            return string.find(string.rep("a", 5000), ".-.-.-b")
        ]] end, "a pattern with %d repetitions may take too long on 5000 bytes")
        for _, name in ipairs { "match", "gmatch", "gsub" } do
            assert.error_matches(function()
                run("return string." .. name .. [[(string.rep("a", 5000), ".-.-.-b", "")]])
            end, "may take too long")
        end
        assert.equal(2, run [[return (string.find(string.rep("a", 5000) .. ".-.-.-", "a.", 1) or 0) + 1]])
        assert.error_matches(function() run [[
            local t = {}
            for i = 1, (1 << 18) + 1 do t[i] = i end
            table.sort(t)
        ]] end, "table.sort: more than 262144 elements")
    end)

    it("refuses finalisers, which would run outside any deadline", function()
        assert.error_matches(function() run "setmetatable({}, { __gc = function() end })" end,
            "__gc is not available to scripts")
    end)

    it("require: modules are the app's files, loaded once, at load only", function()
        local words = require "words"
        assert.is_true(words.loaded_at_load)
        assert.equal(words, words.find_late "words")
        assert.error_matches(function() words.find_late "absent" end,
            "only at the top of a file, not while requests run")
        for _, name in ipairs { "../../etc/passwd", "/etc/passwd", "a..b", ".a", "a.", "", "A", "a/b" } do
            assert.error_matches(function() words.find_late(name) end, "is not a module name")
        end
    end)

    it("fail raises what the server turns into an answer", function()
        local ok, why = pcall(fail.not_found)
        assert.same({ false, 404, "Resource not found" }, { ok, why.status, why.message })
        ok, why = pcall(fail, 418, "TEAPOT", "Short and stout", { a = 1 })
        assert.same({ false, 418, "TEAPOT", 1 }, { ok, why.status, why.code, why.details.a })
    end)
end)
