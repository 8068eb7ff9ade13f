-- SPDX-License-Identifier: Apache-2.0
--
-- A walk through the console: each step says what there is and what to type next. Only reads, and one rehearsal.
return {
    { "Look around", "A line is Lua; an expression prints its value. What the app serves, and what it forbids:",
        "routes()", "rules()" },
    { "Ask the database", "Rows come as a table. Tab completes names and paths; the arrows bring lines back:",
        'db.all "SELECT name FROM sqlite_schema ORDER BY name LIMIT 5"', 'help("db.all")' },
    { "Variables stay", "Also those that are local at the beginning of a line. Unfinished lines go on on the next:",
        "local day = 24 * 60 * 60", "time.iso(time.now() - day)" },
    { "Who may, and why", "explain(rule, who, what) names the clause that decided; status() has what serves:",
        "status()", "sessions()" },
    { "Follow", "What is answered and what is logged, until Ctrl-C (which ends the line, never the server):",
        "watch.requests { status = 500 }", "watch.log()" },
    { "Write", "Nothing writes outside write(function(tx) … end). It is tried first and shows what it would change; a\n"
        .. "  transaction that changes nothing is a harmless one to begin with:",
        "write(function(tx) return true end)" },
}
