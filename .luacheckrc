-- SPDX-License-Identifier: Apache-2.0
-- Globals of the script sandbox. Written by hand until it is generated from the host's descriptors.
std = "lua54"
max_line_length = 120
cache = false

local words = {
    "GET", "POST", "PUT", "PATCH", "DELETE", "text", "integer", "number", "boolean", "one_of", "id", "email", "date",
    "datetime", "timezone", "list", "object", "map", "any", "ref", "optional", "nullable", "omit", "doc", "example",
}
local primitives = {
    "db", "json", "null", "jwt", "password", "crypto", "time", "timer", "analytics", "auth", "limit", "cache", "report",
    "log", "config", "schema", "fail",
}

local function joined(...)
    local result = {}
    for _, list in ipairs { ... } do
        for _, name in ipairs(list) do
            result[#result + 1] = name
        end
    end
    return result
end

-- What scripts see of Lua: no io, os, debug, load, package.
stds.sandbox = {
    read_globals = joined(words, primitives, {
        "assert", "coroutine", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "print", "rawequal",
        "rawget", "rawlen", "rawset", "require", "select", "setmetatable", "string", "table", "tonumber", "tostring",
        "type", "utf8", "xpcall",
    }),
}

-- Pure helpers: no host modules.
stds.pure = {
    read_globals = {
        "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen",
        "rawset", "require", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type", "utf8",
    },
}

files["scripts/*"] = { std = "sandbox" }
files["scripts/lib/*.lua"] = { std = "pure" }
files["tests/spec"] = { std = "lua54+busted" }
files["scripts/*/spec"] = { std = "+lua54+busted" }
files["scripts/lib/spec"] = { std = "+lua54+busted" }

exclude_files = { "scripts/types", "build", "build-*", "tests/contract/npm" }
