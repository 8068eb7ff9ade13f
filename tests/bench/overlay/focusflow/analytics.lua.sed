# The whole session on the day it started, not its spans on theirs.
s/p\.started_at AS begun, p\.ended_at AS done, p\.ended_at - p\.started_at AS amount/s.started_at AS begun, s.started_at AS done, p.ended_at - p.started_at AS amount/
# The pomodoro too.
s/t\.id, s\.id, s\.ended_at, s\.ended_at, 1/t.id, s.id, s.started_at, s.started_at, 1/
# What workflow.lua needs for a task that is started again.
s/^(return facts)$/function facts.task_reopened(task_id) withdraw_all(db.all(OF_SESSION, task_id, 0)) end \1/
