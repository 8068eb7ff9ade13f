-- SPDX-License-Identifier: Apache-2.0
--
-- The manifest's webhooks: what is checked, and who is told when one is disabled. Runs without the host:
-- busted --lua=/usr/bin/lua5.4 tests/spec/webhooks_spec.lua
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
package.path = here .. "/support/?.lua;" .. package.path
local prelude = require "prelude"
local declare = prelude.host.load "declare" (prelude.host)

local unit = {
    name = "u", summary = "U.",
    declare.words.GET "/u" {
        summary = "U", who = "anyone", returns = { [200] = declare.words.any }, run = function() end,
    },
}

local function normalise(webhooks)
    return declare.normalise { name = "some", units = { unit }, webhooks = webhooks }
end

local function problems(webhooks)
    local ok, message = pcall(normalise, webhooks)
    assert.is_false(ok)
    local found = {}
    for problem in message:gmatch "\n  ([^\n]+)" do
        found[#found + 1] = problem
    end
    return found
end

local function build() end

describe("webhooks", function()
    it("become a set of events and the function that builds", function()
        local out = normalise { events = { "done", "a.b:c-d" }, build = build }
        assert.same({ done = true, ["a.b:c-d"] = true }, out.webhooks.events)
        assert.equal(build, out.webhooks.build)
        assert.is_nil(normalise(nil).webhooks)
    end)

    it("are checked", function()
        assert.same({ "webhooks must be a table { events =, build =, disabled = }" }, problems "x")
        assert.same({ "webhooks.build must be a function", "webhooks.events must be a list of names" }, problems {})
        assert.same({ 'webhooks.events[1] must be a word of letters, digits and "_.:-", not webhook.test',
            'webhooks.events[2] must be a word of letters, digits and "_.:-", not webhook.test' },
            { table.unpack(problems { events = { "a b", "webhook.test" }, build = build }, 1, 2) })
        assert.same({
            'webhooks: unknown key "event" (did you mean "events"?)', "webhooks.disabled must be a function",
        }, problems { events = { "a" }, event = {}, build = build, disabled = "x" })
    end)
end)

describe("a disabled webhook", function()
    local sent, hook, log

    before_each(function()
        sent, hook, log = {}, { id = 7, owner = "team:1", url = "u" }, {}
        _G.webhook = { get = function(owner, id)
            return hook and owner == hook.owner and id == hook.id and hook or nil
        end }
        _G.db = { transaction = function(fn) return fn() end }
        _G.mail = { send = function(message)
            if message.to == "bad" then
                return nil, "to is not a mail address"
            end
            sent[#sent + 1] = message
            return "msg_1"
        end }
        _G.log = { warn = function(text) log[#log + 1] = text end }
    end)

    after_each(function()
        _G.webhook, _G.db, _G.mail, _G.log = nil, nil, nil, nil
    end)

    local function tell(disabled)
        local out = normalise { events = { "a" }, build = build, disabled = disabled }
        out.timers["perigee.webhook_disabled"](1000, { owner = "team:1", id = 7 })
    end

    it("is told to whom the app says", function()
        tell(function(h) return { to = "a@b.de", subject = "off", text = h.url } end)
        assert.same({ { to = "a@b.de", subject = "off", text = "u" } }, sent)
    end)

    it("is told to several", function()
        tell(function() return { { to = "a@b.de" }, { to = "bad" }, { to = "c@d.de" } } end)
        assert.equal(2, #sent)
        assert.equal(1, #log)
    end)

    it("is told to nobody when the app does not care, or it is gone", function()
        tell(nil)
        tell(function() return nil end)
        hook = nil
        tell(function() error "not asked" end)
        assert.same({}, sent)
    end)
end)
