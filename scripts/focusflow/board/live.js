// SPDX-License-Identifier: Apache-2.0
//
// The socket: the token is the first message, events come as they happen, and after a break the client says beside the
// token what it saw last of each room, so that nothing is missed. An accepted token is not acknowledged; a refused one closes with
// 4401, and 4429 means that the organization has all the sockets it may have.

const FIRST = 500, LONGEST = 30000, STEADY = 5000;      // milliseconds
const REFUSED = 4401, CROWDED = 4429;

export class Live {
    #socket = null;
    #rooms = new Map();         // room → the number of its last event
    #failures = 0;
    #since = Infinity;          // when it was opened
    #timer = 0;
    #stopped = true;

    /**
     * token() → promise of an access token; renew() → promise of a new one; onevent(event); onstate(state, seconds) with
     * "connecting", "live" or "waiting"; onresync() when events were missed that the server no longer has.
     */
    constructor(handlers) {
        Object.assign(this, handlers);
        this.hurry = () => {
            if (!this.#stopped && this.#timer && document.visibilityState === "visible") {
                this.#connect();
            }
        };
    }

    start() {
        this.#stopped = false;
        addEventListener("online", this.hurry);
        document.addEventListener("visibilitychange", this.hurry);
        this.#connect();
    }

    stop() {
        this.#stopped = true;
        clearTimeout(this.#timer);
        removeEventListener("online", this.hurry);
        document.removeEventListener("visibilitychange", this.hurry);
        this.#socket?.close();
        this.#socket = null;
    }

    async #connect() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.onstate("connecting", 0);
        let token;
        try {
            token = await this.token();
        } catch {
            this.#wait();
            return;
        }
        if (this.#stopped) {
            return;
        }
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/pomodoro/`);
        this.#socket = socket;
        socket.addEventListener("open", () => this.#greet(socket, token));
        socket.addEventListener("message", ({ data }) => this.#receive(data));
        socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#closed(code));
    }

    #greet(socket, token) {
        const resume = [...this.#rooms].map(([room, after]) => ({ room, after }));
        socket.send(JSON.stringify(resume.length > 0 ? { token, resume } : { token }));
        this.#since = performance.now();
        this.onstate("live", 0);
    }

    #receive(text) {
        const event = JSON.parse(text);
        if (event.type === "error") {
            return;             // its close code follows
        }
        if (event.type === "resync") {
            this.#rooms.delete(event.room);
            this.onresync();
            return;
        }
        if (event.room === undefined || this.#isNew(event)) {
            this.onevent(event);
        }
    }

    #isNew({ room, seq }) {
        if (seq <= (this.#rooms.get(room) ?? 0)) {
            return false;
        }
        this.#rooms.set(room, seq);
        return true;
    }

    async #closed(code) {
        this.#socket = null;
        if (this.#stopped) {
            return;
        }
        if (performance.now() - this.#since > STEADY) {
            this.#failures = 0;
        }
        this.#since = Infinity;
        if (code === REFUSED) {
            await this.renew().catch(() => {});
        }
        this.#wait(code === CROWDED ? LONGEST : 0);
    }

    /** Later each time, and not in step with everybody else whom the same restart cut off. */
    #wait(least = 0) {
        if (this.#stopped) {
            return;
        }
        const most = Math.min(LONGEST, FIRST * 2 ** this.#failures);
        const delay = Math.max(least, most / 2 + Math.random() * most / 2);
        this.#failures += 1;
        this.onstate("waiting", Math.ceil(delay / 1000));
        this.#timer = setTimeout(() => this.#connect(), delay);
    }
}
