-- SPDX-License-Identifier: Apache-2.0
describe("webhook", function()
    local OWNER, URL = "team:1", "https://example.com/hooks"

    before_each(function()
        db.transaction(function(tx)
            tx.run "DELETE FROM perigee_outbox"
            tx.run "DELETE FROM perigee_webhooks"
        end)
    end)

    local function create(t)
        return db.transaction(function()
            return webhook.create { owner = t.owner or OWNER, url = t.url or URL, events = t.events or { "done" },
                secret = t.secret ~= false and (t.secret or "a secret") or nil }
        end)
    end

    local function rows()
        return db.all "SELECT id, webhook, event, status, headers, body, attempts FROM perigee_outbox ORDER BY seq"
    end

    it("create, list, get, delete: an owner sees its own, never a secret", function()
        local first, other = create {}, create { owner = "team:2", events = { "begun", "done" } }
        assert.same({ id = first.id, owner = OWNER, url = URL, events = { "done" }, active = true,
            created_at = first.created_at }, first)
        assert.same({ first }, webhook.list(OWNER))
        assert.same({ "begun", "done" }, webhook.get("team:2", other.id).events)
        assert.is_nil(webhook.get(OWNER, other.id))
        assert.is_nil(webhook.get(OWNER, 0))
        assert.is_false(db.transaction(function() return webhook.delete(OWNER, other.id) end))
        assert.is_true(db.transaction(function() return webhook.delete("team:2", other.id) end))
        assert.same({}, webhook.list "team:2")
        assert.is_nil(tostring(db.value "SELECT hex(secret) FROM perigee_webhooks"):lower():find(
            ("a secret"):gsub(".", function(c) return string.format("%02x", c:byte()) end), 1, true))
    end)

    it("create makes a secret when none is given and shows it once", function()
        local hook = create { secret = false }
        assert.is_truthy(hook.secret:find "^whsec_[%w+/]+=*$")
        assert.is_nil(webhook.get(OWNER, hook.id).secret)
    end)

    it("create says what is wrong", function()
        for url, part in pairs {
            ["ftp://example.com/"] = "http", ["example.com"] = "absolute", ["http://a b/"] = "blanks", [""] = "1 to",
            ["https://user:pw@example.com/"] = "user name", ["https://"] = "absolute", ["http://ä.de/"] = "ASCII",
        } do
            local hook, problem = create { url = url }
            assert.is_nil(hook)
            assert.is_truthy(problem:find(part, 1, true), url .. ": " .. problem)
        end
        assert.same({ nil, "there is no such event" }, { create { events = { "done", "nothing" } } })
        assert.same({ nil, "there must be at least one event" }, { create { events = {} } })
        assert.same({ nil, "the secret must have 1 to 255 bytes" }, { create { secret = ("x"):rep(256) } })
    end)

    it("send: a row for each endpoint that wants the event, built and signed", function()
        local first = create {}
        create { events = { "begun" } }
        create { owner = "team:2" }
        local second = create { events = { "begun", "done" }, secret = "another" }
        assert.equal(2, db.transaction(function() return webhook.send(OWNER, "done", { n = 1 }) end))
        local all = rows()
        assert.equal(2, #all)
        for i, hook in ipairs { first, second } do
            assert.equal(hook.id, all[i].webhook)
            assert.equal("pending", all[i].status)
            assert.is_truthy(all[i].id:find "^dlv_%x+$")
            assert.equal(36, #all[i].id)
            assert.equal('{"data":{"n":1},"event":"done","id":"' .. all[i].id .. '"}', all[i].body)
            assert.equal("X-Probe: " .. crypto.hmac(i == 1 and "a secret" or "another", all[i].body) .. "\n",
                all[i].headers)
        end
        assert.equal(0, db.transaction(function() return webhook.send("team:3", "done") end))
    end)

    it("send is part of the transaction", function()
        create {}
        pcall(db.transaction, function()
            webhook.send(OWNER, "done")
            error "no"
        end)
        assert.same({}, rows())
    end)

    it("refuses what cannot be sent", function()
        create {}
        local function sending(built)
            return function()
                db.transaction(function() webhook.send(OWNER, "done", { built = built }) end)
            end
        end
        assert.error_matches(sending "text", "must return a table")
        assert.error_matches(sending {}, "body must be a text or a table")
        assert.error_matches(sending { body = { print } }, "webhooks.build: body")
        assert.error_matches(sending { body = "x", headers = { ["A B"] = "1" } }, "not the name of a header")
        assert.error_matches(sending { body = "x", headers = { A = "1\r\nB: 2" } }, "control character")
        assert.error_matches(sending { body = "x", headers = { ["Webhook-Id"] = "1" } }, "the host's own")
        assert.error_matches(sending { body = "x", headers = { Host = "1" } }, "the host's own")
        assert.error_matches(sending { body = "x", headers = { A = {} } }, "texts under their names")
        assert.error_matches(sending { body = ("x"):rep(1048577) }, "longer than")
        assert.same({}, rows())
        sending { body = { b = 1, a = json.array() }, headers = { ["Content-Type"] = "text/x", N = 7 } } ()
        assert.equal('{"a":[],"b":1}', rows()[1].body)
    end)

    it("test and redeliver: of one active endpoint", function()
        local hook = create { events = { "begun" } }
        local id = db.transaction(function() return webhook.test(OWNER, hook.id) end)
        assert.equal(id, rows()[1].id)
        assert.equal("webhook.test", rows()[1].event)
        db.transaction(function(tx) tx.run "UPDATE perigee_outbox SET status = 'failed', attempts = 3" end)
        local function again(...)
            local args = { ... }
            return db.transaction(function() return webhook.redeliver(table.unpack(args)) end)
        end
        assert.is_true(again(OWNER, hook.id, id))
        assert.equal("pending", rows()[1].status)
        assert.same({ nil, "not_found" }, { again(OWNER, hook.id, "dlv_none") })
        assert.same({ nil, "not_found" }, { again("team:2", hook.id, id) })
        db.transaction(function(tx) tx.run "UPDATE perigee_webhooks SET active = 0" end)
        assert.same({ nil, "disabled" }, { again(OWNER, hook.id, id) })
        assert.same({ nil, "disabled" }, { db.transaction(function() return webhook.test(OWNER, hook.id) end) })
    end)

    it("deliveries: newest first, with their count", function()
        local hook = create {}
        for n = 1, 3 do
            db.transaction(function() webhook.send(OWNER, "done", { n = n }) end)
        end
        db.transaction(function(tx)
            tx.run("UPDATE perigee_outbox SET status = 'succeeded', attempts = 2, response_status = 204, " ..
                "latency_ms = 5, response_excerpt = 'ok' WHERE seq = (SELECT max(seq) FROM perigee_outbox)")
        end)
        local list, count = webhook.deliveries(OWNER, hook.id, 2)
        assert.equal(3, count)
        assert.equal(2, #list)
        local ids = rows()
        assert.same({ id = ids[3].id, event = "done", status = "succeeded", attempts = 2, response_status = 204,
            latency_ms = 5, response_excerpt = "ok", created_at = list[1].created_at }, list[1])
        assert.equal("pending", list[2].status)
        assert.equal(ids[1].id, webhook.deliveries(OWNER, hook.id, 2, 2)[1].id)
        assert.is_nil(webhook.deliveries("team:2", hook.id))
        db.transaction(function() webhook.delete(OWNER, hook.id) end)
        assert.equal(1, #rows())
    end)

    it("needs a transaction to write", function()
        local calls = {
            ["webhook.create"] = function() webhook.create { owner = OWNER, url = URL, events = { "done" } } end,
            ["webhook.delete"] = function() webhook.delete(OWNER, 1) end,
            ["webhook.send"] = function() webhook.send(OWNER, "done") end,
            ["webhook.test"] = function() webhook.test(OWNER, 1) end,
            ["webhook.redeliver"] = function() webhook.redeliver(OWNER, 1, "x") end,
        }
        for name, call in pairs(calls) do
            assert.error_matches(call, name .. ": only inside db.transaction")
        end
        db.transaction(function()
            assert.error_matches(function() webhook.send(OWNER, "nothing") end, "no event 'nothing'")
        end)
    end)

    it("says in which phases it may be used", function()
        assert.error_matches(function() host.phase("rule", webhook.list, OWNER) end,
            "webhook.list is not allowed in a rule")
    end)
end)
