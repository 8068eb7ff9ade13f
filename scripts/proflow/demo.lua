-- SPDX-License-Identifier: Apache-2.0
--
-- An organization to look at. Made once, and only where --demo is on, which production refuses.
local accounts = require "accounts"
local ids = require "ids"

local EMAIL, PASSWORD = "demo@proflow.com", "DemoPass123!"
local TASKS = {
    { "Draw the new start page", "in_progress", "high" },
    { "Move the mail server", "todo", "urgent" },
    { "Write the quarterly report", "in_review", "medium" },
    { "Order chairs", "done", "low" },
}

local function add_project(tx, organization, user, now)
    local project = ids.new "proj"
    local row = { organization = organization, status = "active", created_at = now, updated_at = now }
    row.id, row.name, row.description = project, "Spring clean-up", "What has been waiting since winter."
    tx.insert("projects", row)
    for _, task in ipairs(TASKS) do
        tx.insert("tasks", {
            id = ids.new "task",
            organization = organization,
            project_id = project,
            assignee_id = user,
            title = task[1],
            status = task[2],
            priority = task[3],
            created_at = now,
            updated_at = now,
        })
    end
end

return function()
    if db.value("SELECT 1 FROM users WHERE email_key = ?", EMAIL) then
        return
    end
    local hash, now = password.hash(PASSWORD), time.now()
    db.transaction(function(tx)
        local organization = accounts.organization(tx, "Acme", now)
        local person = { name = "Demo User", email = EMAIL, password_hash = hash, role = "admin" }
        local seq = accounts.user(tx, organization, person, now)
        add_project(tx, organization, db.value("SELECT id FROM users WHERE seq = ?", seq), now)
    end)
end
