-- SPDX-License-Identifier: Apache-2.0
--
-- The same rules for a task's status and priority in a form that costs nothing: for IN with more than two values SQLite
-- fills a temporary index at every insert and every change of the column. Only the text of the rules changes, no row
-- does, so the table need not be built anew; the schema's version moves with the index that comes and goes.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema
   SET sql = replace(replace(sql,
       'CHECK (status IN (''pending'', ''in_progress'', ''paused'', ''completed''))',
       'CHECK (status = ''pending'' OR status = ''in_progress'' OR status = ''paused'' OR status = ''completed'')'),
       'CHECK (priority IN (''low'', ''medium'', ''high'', ''urgent''))',
       'CHECK (priority = ''low'' OR priority = ''medium'' OR priority = ''high'' OR priority = ''urgent'')')
 WHERE type = 'table' AND name = 'tasks';

CREATE INDEX tasks_schema_moves ON tasks(id);
DROP INDEX tasks_schema_moves;

PRAGMA writable_schema = RESET;
