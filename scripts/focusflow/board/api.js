// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the public API: tokens, their renewal, errors. Only the refresh token is kept, in the tab's own
// storage, so that a reload does not ask for the password again; the access token lives in memory.

const KEY = "focusflow.refresh";

export class ApiError extends Error {
    constructor(status, code, message, { details = {}, wait = 0 } = {}) {
        super(message);
        Object.assign(this, { status, code, details, wait });
    }
}

async function failure(response) {
    const body = await response.json().catch(() => ({}));
    const { code = "INTERNAL_ERROR", message = "The server cannot answer right now.", details } = body.error ?? {};
    return new ApiError(response.status, code, message, { details, wait: Number(response.headers.get("Retry-After")) || 0 });
}

export class Api {
    #access = null;
    #renewal = null;
    #storage;
    #apart = 0;                 // how far the server's clock is from ours, by the Date of its answers
    #ahead = -Infinity;         // the same by the latest instant that it told, which is never in its future

    /** `ended()` is called when the login is over and only a password helps. */
    constructor({ storage = sessionStorage, ended }) {
        this.#storage = storage;
        this.ended = ended;
    }

    get #refresh() {
        return this.#storage.getItem(KEY);
    }

    get loggedIn() {
        return this.#refresh !== null;
    }

    /** The server's clock, which has the last word on how long something has been going on. */
    now() {
        return Date.now() + Math.max(this.#apart, this.#ahead);
    }

    /** An instant of something that has happened. */
    saw(instant) {
        this.#ahead = Math.max(this.#ahead, instant - Date.now());
    }

    async #send(method, path, body, access) {
        const headers = {};
        if (access) {
            headers.Authorization = `Bearer ${access}`;
        }
        if (body !== undefined) {
            headers["Content-Type"] = "application/json";
        }
        let response;
        try {
            response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
        } catch {
            throw new ApiError(0, "UNREACHABLE", "The server cannot be reached.");
        }
        const apart = Date.parse(response.headers.get("Date")) - Date.now();
        this.#apart = Math.abs(apart) > 2000 ? apart : 0;
        if (!response.ok) {
            throw await failure(response);
        }
        return response.status === 204 || response.status === 205 ? null : response.json();
    }

    async logIn(email, password) {
        const { tokens } = await this.#send("POST", "/api/v1/auth/login/", { email, password });
        this.#access = tokens.access;
        this.#storage.setItem(KEY, tokens.refresh);
    }

    async logOut() {
        const refresh = this.#refresh;
        try {
            await this.#send("POST", "/api/v1/auth/logout/", { refresh }, await this.token());
        } catch {
            // The tokens are forgotten here in any case.
        }
        this.#forget();
    }

    #forget() {
        this.#access = null;
        this.#storage.clear();
    }

    /** A fresh access token; many callers at once share one request. */
    renew() {
        this.#renewal ??= this.#renewOnce().finally(() => {
            this.#renewal = null;
        });
        return this.#renewal;
    }

    async #renewOnce() {
        try {
            this.#access = (await this.#send("POST", "/api/v1/auth/refresh/", { refresh: this.#refresh })).access;
            return this.#access;
        } catch (error) {
            if (error.status === 401 || error.status === 400) {
                this.#forget();
                this.ended();
            }
            throw error;
        }
    }

    async token() {
        return this.#access ?? this.renew();
    }

    async request(method, path, body) {
        const access = await this.token();
        try {
            return await this.#send(method, path, body, access);
        } catch (error) {
            if (error.status !== 401) {
                throw error;
            }
        }
        if (this.#access === access) {
            this.#access = null;
        }
        return this.#send(method, path, body, await this.token());
    }

    get(path) {
        return this.request("GET", path);
    }
}
