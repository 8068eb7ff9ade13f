-- SPDX-License-Identifier: Apache-2.0
--
-- All timers of the app, by name.
local all = {}

for _, part in ipairs { require "jobs.sessions", require "jobs.idle", (require "jobs.demo") } do
    for name, run in pairs(part) do
        all[name] = run
    end
end

return all
