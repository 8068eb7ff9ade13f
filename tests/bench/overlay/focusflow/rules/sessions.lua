-- SPDX-License-Identifier: Apache-2.0
local rules = require "rules.sessions_base"

rules.machine.task.completed.start = rules.machine.task.paused.start
rules.completes.task_completed = true

return rules
