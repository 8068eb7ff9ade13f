// SPDX-License-Identifier: Apache-2.0
//
// What the board knows, as plain data. The server's overview and activity list are the truth; events of the socket
// change it at once and are confirmed by the next look at the server. Nothing here touches the page or the network.

const ORDER = { focused: 0, paused: 1, on_break: 2, idle: 3 };
const FEED_LENGTH = 60;           // shown; the server's list may be longer and tells who began when

export function newModel() {
    return { people: new Map(), members: new Map(), feed: [], begun: new Map(), remarks: [], date: null, totals: null, days: new Map() };
}

/** What a live event does to a person: the status afterwards and the activity that it is. */
const EVENTS = {
    employee_task_started: { status: "focused", type: "task_started", at: "started_at" },
    employee_task_completed: { status: "idle", type: "task_completed", at: "completed_at" },
    employee_idle: { status: "idle", type: "employee_idle", at: "idle_since" },
};
const STARTS = new Set(["task_started", "task_resumed"]);

/** An activity and the event about it have the same key, so that one replaces the other in place. */
function entry(type, user, task, at, more) {
    return { key: `${type} ${user.id} ${task?.id ?? ""} ${at}`, type, user, task, at: Date.parse(at), ...more };
}

export function setMembers(model, members) {
    model.members = new Map(members.map((m) => [m.user.id, m.user]));
}

export const userOf = (model, user) => ({ ...user, ...model.members.get(user.id) });

/** True when somebody is there whom the list of members does not have yet. */
export const hasStrangers = (model) => [...model.people.keys()].some((id) => !model.members.has(id));

const beginning = (id, task) => `${id} ${task?.id}`;

export function setOverview(model, overview) {
    model.date = overview.date;
    model.totals = {
        focused: overview.currently_focused,
        active: overview.active_employees,
        hours: overview.total_focus_hours_today,
        completed: overview.tasks_completed_today,
        progress: overview.tasks_in_progress,
    };
    model.people = new Map(overview.employees_status.map((e) => [e.user.id, {
        user: e.user,
        status: e.status,
        task: e.current_task,
        hours: e.focus_time_today,
        since: e.status === "focused" ? model.begun.get(beginning(e.user.id, e.current_task)) : undefined,
    }]));
}

/** The list of the server, with the remarks that only the socket makes. */
export function setActivities(model, activities) {
    const list = activities.map((a) => entry(a.type, a.user, a.task, a.timestamp));
    const starts = list.filter((e) => STARTS.has(e.type)).reverse();        // of one task the latest stays
    model.begun = new Map(starts.map((e) => [beginning(e.user.id, e.task), e.at]));
    const oldest = list.length > 0 ? list[list.length - 1].at : 0;
    const remarks = model.remarks.filter((r) => r.noticed >= oldest).map((r) => ({ ...r, at: r.noticed }));
    model.feed = [...list, ...remarks].sort((a, b) => b.at - a.at).slice(0, FEED_LENGTH);
}

function recount(model, person, before, type) {
    const step = (status) => (status === "focused" ? 1 : 0);
    model.totals.focused += step(person.status) - step(before);
    if (type === "task_completed") {
        model.totals.completed += 1;
        model.totals.progress = Math.max(0, model.totals.progress - 1);
    } else if (type === "task_started" && before !== "focused") {
        model.totals.progress += 1;
    }
}

/** Takes an event of the socket; returns its feed entry, or null when it is for the server's answer to tell. */
export function takeEvent(model, { type, data }, now) {
    const rule = EVENTS[type];
    if (!rule || !model.totals) {
        return null;
    }
    const idle = rule.type === "employee_idle";
    const made = entry(rule.type, data.user, data.task, data[rule.at], idle && { minutes: data.idle_duration_minutes });
    if (model.feed.some((e) => e.key === made.key) || model.remarks.some((e) => e.key === made.key)) {
        return null;
    }
    if (idle) {
        made.noticed = made.at = now;
        model.remarks = [made, ...model.remarks].slice(0, FEED_LENGTH);
    }
    model.feed = [made, ...model.feed].sort((a, b) => b.at - a.at).slice(0, FEED_LENGTH);
    const person = model.people.get(data.user.id);
    if (person) {
        const before = person.status;
        person.status = rule.status;
        person.task = rule.status === "focused" ? data.task : null;
        person.since = rule.status === "focused" ? made.at : undefined;
        recount(model, person, before, rule.type);
    }
    return made;
}

/** Those who focus first, the longest at it on top; then by name. */
export function peopleInOrder(model, name) {
    return [...model.people.values()].sort((a, b) => (ORDER[a.status] ?? 9) - (ORDER[b.status] ?? 9)
        || (a.since ?? Infinity) - (b.since ?? Infinity) || name(a.user).localeCompare(name(b.user)));
}
