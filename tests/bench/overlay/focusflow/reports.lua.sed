# Only the tasks created on the day.
/UNION SELECT id FROM tasks WHERE user_id = \? AND started_at/d
s/UNION SELECT id FROM tasks WHERE user_id = \? AND ended_at .*\)\]\]/)]]/
s/user\.id, from, to, user\.id, from, to, user\.id, from, to/user.id, from, to/
s/IN \('in_progress', 'paused'\)/= 'in_progress'/
