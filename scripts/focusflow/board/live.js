// SPDX-License-Identifier: Apache-2.0
//
// The socket: the token is the first message, events come as they happen, and after a break the client says for each
// room what it saw last, so that nothing is missed. An accepted token is not acknowledged; a refused one closes with
// 4401, and 4429 means that the organization has all the sockets it may have.

const FIRST = 500, LONGEST = 30000, STEADY = 5000;      // milliseconds
const REFUSED = 4401, CROWDED = 4429;

export class Live {
    #socket = null;
    #rooms = new Map();         // room → the last seq of it
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
        socket.send(JSON.stringify({ token }));
        for (const [room, after] of this.#rooms) {
            socket.send(JSON.stringify({ resume: { room, after } }));
        }
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
        if (event.room !== undefined) {
            if (event.seq <= (this.#rooms.get(event.room) ?? -1)) {
                return;
            }
            this.#rooms.set(event.room, event.seq);
        }
        this.onevent(event);
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
