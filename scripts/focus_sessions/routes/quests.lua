-- SPDX-License-Identifier: Apache-2.0
--
-- Quests: what sessions may be for (FS-2).
local SELECT = [[
SELECT q.uuid AS id, q.title, q.description, q.created_at AS "created_at:time" FROM quests q WHERE ]]
local OF_USER = SELECT .. "q.user_id = ? ORDER BY q.created_at DESC, q.id DESC"

return {
    name = "quests",
    summary = "What sessions may be for.",
    POST "/quests" {
        summary = "Create a quest",
        who = "user",
        body = {
            title = text { 1, 200, example = "Write a novel" },
            description = optional(nullable(text { 0, 5000, example = "Fifty thousand words" })),
        },
        returns = { [200] = "Quest" },
        run = function(req)
            return 200, db.transaction(function(tx)
                local id = tx.insert("quests", {
                    uuid = crypto.uuid(),
                    user_id = req.user.id,
                    title = req.body.title,
                    description = req.body.description,
                    created_at = req.now,
                })
                return db.object(SELECT .. "q.id = ?", id)
            end)
        end,
    },
    GET "/quests" {
        summary = "List quests",
        description = "All of the user's, newest first.",
        who = "user",
        returns = { [200] = list(ref "Quest") },
        run = function(req)
            return 200, (db.json(OF_USER, req.user.id))
        end,
    },
}
