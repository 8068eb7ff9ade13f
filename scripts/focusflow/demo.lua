-- SPDX-License-Identifier: Apache-2.0
--
-- The demo account with four weeks to look at (FF-61), and the organization that it owns, whose employees have worked
-- as long and are working now. Made once, and only where --demo is on, which production refuses.
local accounts = require "accounts"
local cast = require "demo.cast"
local memberships = require "memberships"
local work = require "demo.work"

local DAYS = cast.DAYS

local function create_user(tx, person, hash, at)
    return accounts.create(tx, {
        email = person.email,
        username = person.username,
        password_hash = hash,
        first_name = person.first_name,
        last_name = person.last_name,
        timezone = person.timezone,
    }, at)
end

-- All days are more work than fits one call: jobs/demo.lua makes them one by one, oldest first, before the server
-- listens.
local function plan_days(number, user_id, organization_id, now)
    for day = 1, DAYS do
        timer.at("demo:" .. number .. ":" .. day, now - DAYS + day, "demo.day", {
            employee = number,
            user_id = user_id,
            organization_id = organization_id,
            day = day,
        })
    end
end

local function create_organization(tx, owner_id, at)
    local id = tx.insert("organizations", {
        name = cast.organization.name,
        slug = cast.organization.slug,
        owner_id = owner_id,
        created_at = at,
    })
    memberships.join(tx, id, owner_id, "admin", at)
    return id
end

-- Who works there.
local function hire(tx, organization_id, hash, begin, now)
    for i, person in ipairs(cast.employees) do
        local id = create_user(tx, person, hash, begin)
        memberships.join(tx, organization_id, id, person.role, begin)
        plan_days(i, id, organization_id, now)
    end
end

return function()
    if db.value("SELECT 1 FROM users WHERE email_key = ?", cast.EMAIL) then
        return
    end
    local hash = password.hash(cast.PASSWORD)
    db.transaction(function(tx)
        local now = time.now()
        local first = time.add_days(time.today(cast.demo.timezone, now), 1 - DAYS)
        local begin = time.day(cast.demo.timezone, first) - 86400   -- before everybody's first day
        local id = create_user(tx, cast.demo, hash, begin)
        work.create_projects(tx, id, nil, cast.demo.projects, begin)
        plan_days(0, id, nil, now)
        local organization_id = create_organization(tx, id, begin)
        work.create_projects(tx, id, organization_id, cast.shared_projects, begin)
        hire(tx, organization_id, hash, begin, now)
    end)
end
