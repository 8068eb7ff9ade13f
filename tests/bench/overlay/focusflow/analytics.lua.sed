# The whole session on the day it started, not its spans on theirs.
s/p\.started_at AS "from", p\.ended_at AS "to"/s.started_at AS "from", s.started_at AS "to"/
# The pomodoro too.
s/s\.ended_at, s\.ended_at, 1/s.started_at, s.started_at, 1/
# What workflow.lua needs for a task that is started again.
s/^(return facts)$/function facts.task_reopened(task_id) withdraw_all(db.all(OF_COMPLETION, task_id)) end \1/
