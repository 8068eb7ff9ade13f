// SPDX-License-Identifier: Apache-2.0
//
// The board of one organization: asks the API for the whole, lets the socket change it, and looks again after
// events and now and then, because not every change has an event (a pause, a break).
import { showDays } from "./chart.js";
import { knownDays, loadDays } from "./days.js";
import { find, say } from "./dom.js";
import { Live } from "./live.js";
import { hasStrangers, newModel, setActivities, setMembers, setOverview, takeEvent } from "./model.js";
import { showBones, showCards, showFeed, showPeople, showTimers } from "./views.js";

const LOOK_EVERY = 30000, LOOK_GAP = 5000, FEED = 200;       // milliseconds; the dashboard may be asked 60 times a minute

export class Board {
    #api;
    #path;
    #model = newModel();
    #live;
    #clock = 0;
    #look = 0;          // the timer of the next look
    #looked = 0;        // when the last one began
    #stopped = false;
    #loading = false;
    #stale = false;     // something happened since the last look began

    constructor(api, slug) {
        this.#api = api;
        this.slug = slug;
        this.#path = `/api/v2/organizations/${encodeURIComponent(slug)}/`;
        this.#live = new Live({
            token: () => api.token(),
            renew: () => api.renew(),
            onevent: (event) => this.#take(event),
            onresync: () => this.#lookIn(0),
            onstate: (state, seconds) => this.#connection(state, seconds),
        });
        this.resized = new ResizeObserver(() => this.#drawDays());
    }

    /** Rejects when there is nothing to show: no such organization, not a manager, no server. */
    async start() {
        showBones();
        find("board").querySelector(".grid").setAttribute("aria-busy", "true");
        const organization = await this.#api.get(this.#path);
        say(find("organization"), organization.name);
        document.title = `${organization.name} · FocusFlow`;
        await this.#loadMembers();
        await this.#load();
        if (this.#stopped) {
            return;
        }
        find("board").querySelector(".grid").setAttribute("aria-busy", "false");
        this.resized.observe(find("plot"));
        this.#clock = setInterval(() => this.#tick(), 1000);
        this.#live.start();
        this.#loadDays();
    }

    stop() {
        this.#stopped = true;
        clearInterval(this.#clock);
        clearTimeout(this.#look);
        this.resized.disconnect();
        this.#live.stop();
    }

    // ---- from the API ----

    async #loadMembers() {
        const members = [];
        for (let page = 1, more = true; more; page += 1) {
            const answer = await this.#api.get(`${this.#path}members/?page=${page}&page_size=100`);
            members.push(...answer.results);
            more = answer.results.length > 0 && members.length < answer.count;
        }
        setMembers(this.#model, members);
    }

    async #load() {
        this.#looked = performance.now();
        this.#stale = false;
        const [overview, activity] = await Promise.all([
            this.#api.get(`${this.#path}dashboard/overview/`),
            this.#api.get(`${this.#path}dashboard/activity/?limit=${FEED}`),
        ]);
        const before = this.#model.date;
        setActivities(this.#model, activity.activities);
        setOverview(this.#model, overview);
        if (this.#stopped) {
            return;
        }
        if (hasStrangers(this.#model)) {
            await this.#loadMembers();
        }
        this.#show();
        if (before !== null && before !== overview.date) {
            this.#loadDays();
        } else if (this.#model.days.size > 0) {
            this.#model.days.set(overview.date, overview.total_focus_hours_today);
            this.#drawDays();
        }
        this.#lookIn(this.#stale ? 0 : LOOK_EVERY);
    }

    async #lookAgain() {
        if (this.#loading || this.#stopped) {
            return;
        }
        this.#loading = true;
        try {
            await this.#load();
            this.#notice("");
        } catch (error) {
            this.#notice(error.message);
            this.#lookIn(Math.max(LOOK_EVERY, error.wait * 1000));
        } finally {
            this.#loading = false;
        }
    }

    /** At most one look is waiting, and between two there is a gap. */
    #lookIn(delay) {
        if (this.#stopped) {
            return;
        }
        clearTimeout(this.#look);
        const gap = this.#looked + LOOK_GAP - performance.now();
        this.#look = setTimeout(() => (document.hidden && delay > 0 ? this.#lookIn(LOOK_EVERY) : this.#lookAgain()),
            Math.max(delay, gap));
    }

    async #loadDays() {
        this.#model.days = knownDays(this.slug, this.#model.date);
        this.#drawDays();
        try {
            await loadDays(this.#api, this.slug, this.#model.days, () => this.#drawDays());
        } catch (error) {
            if (!this.#stopped) {
                setTimeout(() => this.#stopped || this.#loadDays(), Math.max(10000, error.wait * 1000));
            }
        }
    }

    again() {
        this.#lookIn(0);
    }

    // ---- from the socket ----

    #take(event) {
        const entry = takeEvent(this.#model, event, this.#api.now());
        if (entry) {
            this.#show();
        }
        this.#stale = true;
        this.#lookIn(0);
    }

    #connection(state, seconds) {
        const pill = find("connection");
        const words = { connecting: "Connecting", live: "Live", waiting: `Reconnecting in ${seconds} s` };
        if (state === "live" && pill.dataset.state !== "live") {
            this.#lookIn(0);
        }
        pill.dataset.state = state;
        say(pill.lastElementChild, words[state]);
    }

    // ---- to the page ----

    #show() {
        this.#api.saw(this.#model.feed[0]?.at ?? 0);
        const now = this.#api.now();
        showCards(this.#model);
        showPeople(this.#model);
        showFeed(this.#model, now);
        showTimers(now);
    }

    #drawDays() {
        if (!this.#stopped && this.#model.days.size > 0) {
            showDays(this.#model.days, this.#model.date);
        }
    }

    #tick() {
        showTimers(this.#api.now());
    }

    #notice(text) {
        const notice = document.querySelector(".notice");
        say(notice.firstElementChild, text);
        notice.hidden = text === "";
    }
}
