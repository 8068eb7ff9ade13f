-- SPDX-License-Identifier: Apache-2.0
--
-- 1 to 4: focus sessions. Another user's session is unknown (FS-12): every query carries the user's id.
local conditions = require "lib.conditions"
local rules = require "rules.sessions"
local uuid = require "uuid"

local SELECT = [[
SELECT s.uuid AS id, (SELECT q.uuid FROM quests q WHERE q.id = s.quest_id) AS quest_id, s.description,
       s.duration_minutes, s.status, s.started_at AS "started_at:time", s.completed_at AS "completed_at:time"
  FROM focus_sessions s WHERE ]]
local NEWEST_FIRST = " ORDER BY s.started_at DESC, s.id DESC LIMIT ?"
local QUEST = "SELECT id FROM quests WHERE uuid = LOWER(?) AND user_id = ?"
local NOT_FOUND = "The user has no such session."

local function start(req)
    local body, quest_id = req.body, nil
    if body.quest_id ~= nil and body.quest_id ~= null then
        quest_id = db.value(QUEST, body.quest_id, req.user.id)
        if not quest_id then
            fail.validation { quest_id = "The user has no such quest." }
        end
    end
    return 200, db.transaction(function(tx)
        local id = tx.insert("focus_sessions", {
            uuid = crypto.uuid(),
            user_id = req.user.id,
            quest_id = quest_id,
            description = body.description,
            duration_minutes = body.duration_minutes,
            started_at = req.now,
        })
        return db.object(SELECT .. "s.id = ?", id)
    end)
end

-- Reads and changes in one transaction, so of two requests at once the second sees what the first has done.
local function change(req)
    return 200, db.transaction(function(tx)
        local session = db.one(
            "SELECT id, status, started_at FROM focus_sessions WHERE uuid = LOWER(?) AND user_id = ?",
            req.params.id, req.user.id) or fail.not_found(NOT_FOUND)
        local changes, refusal = rules.change(session, req.body.status, req.now)
        if not changes then
            fail.conflict(refusal)
        elseif next(changes) then
            tx.update("focus_sessions", changes, "id = ?", session.id)
        end
        return db.object(SELECT .. "s.id = ?", session.id)
    end)
end

local function history(req)
    local where = conditions.new("s.user_id = ?", req.user.id)
    where:filter("s.status = ?", req.query.status)
    where:filter("s.quest_id = (SELECT id FROM quests WHERE uuid = LOWER(?))", req.query.quest_id)
    return 200, (db.json(SELECT .. where:sql() .. NEWEST_FIRST, where:bound(req.query.limit)))
end

local function delete(req)
    return db.transaction(function(tx)
        local sql = "DELETE FROM focus_sessions WHERE uuid = LOWER(?) AND user_id = ?"
        if tx.run(sql, req.params.id, req.user.id) == 0 then
            fail.not_found(NOT_FOUND)
        end
        return 200, { message = "Focus session deleted" }
    end)
end

return {
    name = "focus_sessions",
    summary = "Stretches of deep work.",
    POST "/focus-sessions" {
        summary = "Start a session",
        description = "Several may be active at once. A session goes on until it is completed or cancelled.",
        who = "user",
        body = {
            quest_id = optional(nullable(uuid)),
            description = optional(nullable(text { 0, 1000, example = "Writing Chapter 1" })),
            duration_minutes = integer { rules.SHORTEST, rules.LONGEST, example = 25 },
        },
        returns = { [200] = "Session" },
        run = start,
    },
    PATCH "/focus-sessions/{id}" {
        summary = "Complete or cancel a session",
        description = "The status that it has already is accepted and changes nothing.",
        who = "user",
        params = { id = uuid },
        body = { status = example("completed", one_of(rules.STATUSES)) },
        returns = { [200] = "Session" },
        errors = { [404] = NOT_FOUND, [409] = "The session is not active any more." },
        run = change,
    },
    GET "/focus-sessions" {
        summary = "List sessions",
        description = "Newest first.",
        who = "user",
        query = {
            quest_id = doc("Those for a quest.", optional(uuid)),
            status = doc("Those in a status.", optional(one_of(rules.STATUSES))),
            limit = doc("How many at most.", integer { 1, 100, default = 20 }),
        },
        returns = { [200] = list(ref "Session") },
        run = history,
    },
    DELETE "/focus-sessions/{id}" {
        summary = "Delete a session",
        description = "Whatever its status.",
        who = "user",
        params = { id = uuid },
        returns = { [200] = object { message = text { example = "Focus session deleted" } } },
        errors = { [404] = NOT_FOUND },
        run = delete,
    },
}
