-- SPDX-License-Identifier: Apache-2.0
--
-- A completed task that is started again is no longer completed, in the analytics as well.
local facts = require "analytics"
local workflow = require "workflow_base"
local start = workflow.start

function workflow.start(tx, task, minutes, at)
    if task.status == "completed" then
        facts.task_reopened(task.id)
    end
    return start(tx, task, minutes, at)
end

return workflow
