// SPDX-License-Identifier: Apache-2.0
//
// Which of the three views is shown: log in, choose an organization, the board. The address names the organization
// (?organization=acme), so a board can be bookmarked.
import { Api } from "./api.js";
import { Board } from "./board.js";
import { find, make, say } from "./dom.js";

const DEMO = { email: "demo@focusflow.com", password: "DemoPass123!" };
const LAST = "focusflow.organization";

let board = null;
const api = new Api({ ended: () => show("login", "You were logged out. Log in again.") });

function show(view, message = "") {
    if (view !== "board") {
        board?.stop();
        board = null;
        document.title = "FocusFlow board";
    }
    for (const id of ["login", "choose", "board"]) {
        find(id).hidden = id !== view;
    }
    const error = find(view).querySelector(".error");
    if (error) {
        say(error, message);
        find(view).querySelector("input").focus();
    }
}

function refusal(error, slug) {
    const because = { 403: `You are not a manager of “${slug}”.`, 404: `There is no organization “${slug}”.` };
    return because[error.status] ?? (error.wait ? `${error.message} Try again in ${error.wait} s.` : error.message);
}

async function open(slug) {
    board?.stop();
    board = new Board(api, slug);
    show("board");
    try {
        await board.start();
    } catch (error) {
        if (api.loggedIn) {
            find("slug").value = slug;
            await choose(refusal(error, slug));
        }
        return;
    }
    localStorage.setItem(LAST, slug);
    const address = new URL(location.href);
    address.searchParams.set("organization", slug);
    history.replaceState(null, "", address);
}

/** Offers the organizations whose board the user may see; any other can still be named. */
async function choose(message = "") {
    let own = [];
    try {
        own = (await api.get("/api/v2/organizations/?page_size=100")).results.filter((o) => o.role !== "employee");
    } catch {
        // The name can be typed.
    }
    if (!api.loggedIn) {
        return;
    }
    find("choose").querySelector(".choices").replaceChildren(...own.map((o) => {
        const people = o.member_count === 1 ? "1 person" : `${o.member_count} people`;
        const button = make("button", { type: "button", "data-slug": o.slug }, o.name, " ",
            make("span", { class: "muted" }, `${o.slug} · ${people}`));
        button.addEventListener("click", () => open(o.slug));
        return button;
    }));
    find("slug").value ||= own[0]?.slug ?? "";
    show("choose", message);
}

function begin() {
    const slug = new URL(location.href).searchParams.get("organization") ?? localStorage.getItem(LAST);
    return slug ? open(slug) : choose();
}

/** Runs the work of a form: one at a time, with what went wrong beside it. */
function onSubmit(view, work) {
    const form = find(view).querySelector("form");
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector(".primary"), error = form.querySelector(".error");
        button.disabled = true;
        say(error, "");
        try {
            await work();
        } catch (problem) {
            say(error, refusal(problem));
        } finally {
            button.disabled = false;
        }
    });
}

onSubmit("login", async () => {
    await api.logIn(find("email").value.trim(), find("password").value);
    find("password").value = "";
    await begin();
});

onSubmit("choose", () => open(find("slug").value.trim()));

find("demo").addEventListener("click", () => {
    find("email").value = DEMO.email;
    find("password").value = DEMO.password;
    find("login").querySelector(".primary").focus();
});

for (const button of document.querySelectorAll("[data-action=logout]")) {
    button.addEventListener("click", async () => {
        board?.stop();
        await api.logOut();
        find("slug").value = "";        // the next user's are others
        show("login");
    });
}

find("change").addEventListener("click", () => choose());
find("again").addEventListener("click", () => board?.again());

if (api.loggedIn) {
    begin();
} else {
    show("login");
}
