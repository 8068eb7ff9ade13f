-- SPDX-License-Identifier: Apache-2.0
describe("mail", function()
    before_each(function()
        db.transaction(function(tx) tx.run "DELETE FROM perigee_outbox" end)
    end)

    local function send(t)
        return db.transaction(function() return mail.send(t) end)
    end

    it("send keeps it in the mailbox; list shows it, newest first", function()
        local first = send { to = "a@example.com", subject = "Grüße", text = "One\nTwo" }
        local second = send { to = "b@example.com", subject = "Second", text = "T", html = "<p>H" }
        assert.is_truthy(first:find "^msg_%x+$")
        local all = mail.list()
        assert.same({ second, first }, { all[1].id, all[2].id })
        assert.same({ id = first, to = "a@example.com", subject = "Grüße", text = "One\nTwo", status = "mailbox",
            attempts = 0, created_at = all[2].created_at }, all[2])
        assert.equal("<p>H", all[1].html)
        assert.same({ all[2] }, mail.list { to = "a@example.com" })
        assert.same({ all[1] }, mail.list { limit = 1 })
        assert.same({}, mail.list { to = "c@example.com" })
    end)

    it("is part of the transaction", function()
        pcall(db.transaction, function()
            mail.send { to = "a@example.com", subject = "S", text = "T" }
            error "no"
        end)
        assert.same({}, mail.list())
    end)

    it("says what is wrong with an address or a subject", function()
        for _, to in ipairs { "", "a", "a@", "@b", "a b@c.de", "a@b@c", "a@b.de\r\nBcc: x@y.z", "<a@b.de>", "ä@b.de",
            "a@b.de,c@d.de", "-a@b.de", ("x"):rep(250) .. "@b.de" } do
            assert.same({ nil, "to is not a mail address" }, { send { to = to, subject = "S", text = "T" } })
        end
        for _, subject in ipairs { "", "a\nb", "a\r\nBcc: x@y.z", ("x"):rep(501) } do
            local id, problem = send { to = "a@b.de", subject = subject, text = "T" }
            assert.is_nil(id)
            assert.is_truthy(problem:find "subject")
        end
        assert.is_nil(send { to = "a@b.de", subject = "S", text = "\xff" })
        assert.same({}, mail.list())
    end)

    it("needs a transaction and texts", function()
        assert.error_matches(function() mail.send { to = "a@b.de", subject = "S", text = "T" } end,
            "mail.send: only inside db.transaction")
        assert.error_matches(function() send { to = 1 } end, "to must be a text")
        assert.error_matches(function() host.phase("rule", mail.list) end, "mail.list is not allowed in a rule")
    end)
end)
