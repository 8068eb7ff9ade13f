// SPDX-License-Identifier: Apache-2.0
//
// Figures, times and names as people read them.

/** 3.25 → "3.3", 12 → "12" */
export function hours(value) {
    return String(Math.round(value * 10) / 10);
}

/** 65 → "1:05", 3700 → "1:01:40" */
export function timer(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}`
        : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const DAY = new Intl.DateTimeFormat("en", { weekday: "short", day: "numeric", month: "short" });
const HOUR = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** How long ago an instant is: "now", "5 min", "3 h", then the date. */
export function ago(at, now) {
    const minutes = Math.floor((now - at) / 60000);
    if (minutes < 1) {
        return "now";
    }
    if (minutes < 60) {
        return `${minutes} min`;
    }
    return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : DATE.format(at);
}

export const moment = (at) => `${DAY.format(at)}, ${HOUR.format(at)}`;

/** The dates that end with "2025-01-20", oldest first. */
export function lastDates(today, count) {
    const end = Date.parse(today);
    return Array.from({ length: count }, (_, i) => new Date(end - (count - 1 - i) * 86400000).toISOString().slice(0, 10));
}

const PARTS = ["weekday", "day", "month"];
const NAMES = PARTS.map((part) => new Intl.DateTimeFormat("en", {
    [part]: part === "day" ? "numeric" : "short",
    timeZone: "UTC",
}));

/** "2025-01-20" → { weekday: "Mon", day: "20", month: "Jan" } */
export function dateParts(date) {
    const at = new Date(date);
    return Object.fromEntries(PARTS.map((part, i) => [part, NAMES[i].format(at)]));
}

export function fullName(user) {
    return [user.first_name, user.last_name].filter(Boolean).join(" ") || user.username;
}

export function initials(name) {
    const words = name.split(/[\s._-]+/).filter(Boolean);
    const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
    return letters.map((word) => [...word][0].toUpperCase()).join("");
}
