// SPDX-License-Identifier: Apache-2.0
//
// Shows the model: cards, people, feed.
import { draw, find, make, say, sync } from "./dom.js";
import { ago, fullName, hours, initials, moment, timer } from "./format.js";
import { peopleInOrder, userOf } from "./model.js";

const STATUS = { focused: "Focusing", paused: "Paused", on_break: "On a break", idle: "Idle" };
const FACES = 5;

// Paths in a 24 × 24 box.
const ICONS = {
    play: "M7 4l13 8-13 8z",
    pause: "M6 4h4v16H6zM14 4h4v16h-4z",
    check: "M4 12.5l5.5 5.5L20 6.5l-2.2-2L9.5 13.6 6.2 10.3z",
    plus: "M10.5 4h3v6.5H20v3h-6.5V20h-3v-6.5H4v-3h6.5z",
    hand: "M4 10.5h10.5l-4-4L12.6 4 21 12l-8.4 8-2.1-2.5 4-4H4z",
    ring: "M12 3a9 9 0 100 18 9 9 0 000-18zm0 3a6 6 0 110 12 6 6 0 010-12z",
    cup: "M4 6h13v2h1.5a3.5 3.5 0 010 7H17a5 5 0 01-5 4H9a5 5 0 01-5-5zm13 4.5v2h1.5a1 1 0 000-2z",
    moon: "M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z",
};

const KINDS = {
    task_created: ["plus", "idle", "created"],
    task_started: ["play", "focused", "started"],
    task_resumed: ["play", "focused", "resumed"],
    task_paused: ["pause", "paused", "paused"],
    task_completed: ["check", "done", "completed"],
    task_assigned: ["hand", "break", "assigned"],
    pomodoro_completed: ["ring", "focused", "finished a pomodoro of"],
    break_started: ["cup", "break", "takes a break"],
    employee_idle: ["moon", "paused", ""],
};

function sentence(event) {
    const verb = KINDS[event.type]?.[2] ?? event.type.replaceAll("_", " ");
    return event.type === "employee_idle" ? `has been idle for ${event.minutes} min` : verb;
}

/** An event as one line of plain text. */
export function spoken(model, event) {
    return [fullName(userOf(model, event.user)), sentence(event), event.task?.title].filter(Boolean).join(" ");
}

function face(user) {
    const element = make("span", { class: "face", "aria-hidden": "true" }, initials(fullName(user)));
    element.style.setProperty("--hue", (user.id * 137) % 360);
    return element;
}

// ---- cards ----

const count = (n, one, many) => (n === 1 ? one : many);

export function showCards(model) {
    const { totals, people } = model;
    say(find("focused"), String(totals.focused));
    say(find("focused-of"), `of ${people.size} ${count(people.size, "person", "people")}`);
    say(find("hours"), hours(totals.hours));
    say(find("hours-sub"), `by ${totals.active} ${count(totals.active, "person", "people")}`);
    say(find("completed"), String(totals.completed));
    say(find("completed-sub"), count(totals.completed, "task", "tasks"));
    say(find("progress"), String(totals.progress));
    say(find("progress-sub"), count(totals.progress, "task", "tasks"));
    const focusing = [...people.values()].filter((p) => p.status === "focused").slice(0, FACES);
    sync(find("faces"), focusing, { key: (p) => p.user.id, create: (p) => face(userOf(model, p.user)), update() {} });
}

// ---- people ----

function newPerson() {
    return make("li", { class: "person" }, make("span", { class: "face", "aria-hidden": "true" }),
        make("span", { class: "name" }), make("span", { class: "status" }), make("span", { class: "task" }),
        make("span", { class: "timer" }),
        make("span", { class: "hours" }, make("span"), make("span", { class: "more" }, " today")));
}

function showPerson(model, element, person) {
    const user = userOf(model, person.user);
    const part = (name) => element.querySelector(`.${name}`);
    const old = part("face");
    if (old.textContent !== initials(fullName(user))) {
        old.replaceWith(face(user));
    }
    element.dataset.user = user.username;
    element.dataset.status = person.status;
    element.dataset.since = person.since ?? "";
    say(part("name"), fullName(user));
    say(part("status"), STATUS[person.status] ?? person.status);
    say(part("task"), person.task?.title ?? "No open task");
    part("task").title = person.task?.title ?? "";
    say(part("hours").firstChild, `${hours(person.hours)} h`);
}

export function showPeople(model) {
    const name = (user) => fullName(userOf(model, user));
    sync(find("people"), peopleInOrder(model, name), {
        key: (p) => p.user.id,
        create: newPerson,
        update: (element, person) => showPerson(model, element, person),
        animate: true,
    });
    find("people-empty").hidden = model.people.size > 0;
    say(find("team-sub"), `${model.totals.active} active today`);
}

/** Once a second. */
export function showTimers(now) {
    for (const element of document.querySelectorAll(".person")) {
        const since = Number(element.dataset.since);
        say(element.querySelector(".timer"), since ? timer((now - since) / 1000) : "");
    }
}

// ---- feed ----

function newEvent(model, event, fresh) {
    const [icon = "plus", tone = "idle"] = KINDS[event.type] ?? [];
    const words = make("p", {}, make("strong", {}), " ", make("span", { class: "what" }, sentence(event)));
    if (event.task) {
        words.append(" ", make("span", { class: "title" }, event.task.title));
    }
    return make("li", { class: fresh ? "event fresh" : "event", "data-tone": tone },
        draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, draw("path", { d: ICONS[icon], fill: "currentColor" })),
        words, make("time", { datetime: new Date(event.at).toISOString(), title: moment(event.at) }));
}

export function showFeed(model, now) {
    const list = find("feed");
    const first = list.getAttribute("aria-busy") === "true";
    sync(list, model.feed, {
        key: (e) => e.key,
        create: (e) => newEvent(model, e, !first),
        update: (element, e) => {
            say(element.querySelector("strong"), fullName(userOf(model, e.user)));
            say(element.querySelector("time"), ago(e.at, now));
        },
        animate: true,
    });
    list.setAttribute("aria-busy", "false");
    find("feed-empty").hidden = model.feed.length > 0;
    list.hidden = model.feed.length === 0;
}

export function showBones() {
    const bones = (n) => Array.from({ length: n }, () => make("li", { class: "bone", "aria-hidden": "true" }));
    find("people").replaceChildren(...bones(4));
    find("feed").replaceChildren(...bones(6));
    find("feed").setAttribute("aria-busy", "true");
    find("feed").hidden = false;
    find("feed-empty").hidden = find("people-empty").hidden = true;
}
