// SPDX-License-Identifier: Apache-2.0
//
// Hours of a team by day. The API has them as sums of a range (11.1), so a day is asked for as a range of one; those
// that cannot change any more are kept for the tab's life, because the minute has room for 60 such requests.
import { lastDates } from "./format.js";

export const DAYS = 14;
const AT_ONCE = 3, STILL_OPEN = 2;          // yesterday grows too: a session may have begun before midnight

const storageKey = (slug) => `focusflow.days.${slug}`;

function kept(slug) {
    try {
        return JSON.parse(sessionStorage.getItem(storageKey(slug))) ?? {};
    } catch {
        return {};
    }
}

/** date → hours or undefined, oldest first, for what is known without asking. */
export function knownDays(slug, today) {
    const old = kept(slug);
    return new Map(lastDates(today, DAYS).map((date) => [date, old[date]]));
}

/** Asks for the missing days, latest first; calls `arrived()` after each. `days` is filled. */
export async function loadDays(api, slug, days, arrived) {
    const dates = [...days.keys()];
    const missing = dates.filter((date, i) => days.get(date) === undefined || i >= dates.length - STILL_OPEN).reverse();
    const path = `/api/v2/organizations/${encodeURIComponent(slug)}/analytics/team/`;
    async function work() {
        for (let date = missing.shift(); date !== undefined; date = missing.shift()) {
            const report = await api.get(`${path}?start_date=${date}&end_date=${date}`);
            days.set(date, report.team_statistics.total_focus_hours);
            arrived();
        }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const closed = Object.fromEntries([...days].slice(0, -STILL_OPEN));
    sessionStorage.setItem(storageKey(slug), JSON.stringify(closed));
}
