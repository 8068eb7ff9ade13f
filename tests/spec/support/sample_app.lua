-- SPDX-License-Identifier: Apache-2.0
--
-- A made-up app that uses every declaration word; build(words) returns its manifest.
local function models(w)
    return {
        Book = w.object {
            { "id", w.example(17, w.id) },
            { "title", w.example("The Left Hand of Darkness", w.text) },
            { "state", w.doc("Where the book is.", w.one_of { "shelf", "lent", "lost" }) },
            { "shelf", w.nullable(w.ref "Shelf") },
            { "tags", w.list(w.example("novel", w.text)) },
            { "rating", w.nullable(w.number { 0, 5, doc = "Mean of all votes." }) },
            { "lent_until", w.nullable(w.date) },
            { "created_at", w.datetime },
            { "key", w.omit(w.text) },
        },
        Shelf = w.object { { "id", w.id }, { "name", w.example("Science fiction", w.text) }, { "neighbour",
            w.nullable(w.ref "Shelf") } },
        Books = w.object {
            { "count", w.example(1, w.integer) }, { "next", w.nullable(w.text) }, { "results", w.list(w.ref "Book") },
        },
        Unused = w.object { { "id", w.id } },
    }
end

local function run()
    return 204
end

local function book_routes(w)
    return {
        name = "books", summary = "Books of one library. A book is on a `shelf` or lent.",
        w.GET "/api/v1/books/" {
            summary = "List books", who = "reader", limit = "standard", returns = { [200] = "Books" }, run = run,
            query = {
                state = w.optional(w.one_of { "shelf", "lent", "lost" }),
                    since = w.doc("Bought on that day or later.", w.optional(w.date)),
                page = w.integer { 1, 10000, default = 1 }, page_size = w.integer { 1, 100, default = 20,
                    doc = "Entries of one page." },
                library = w.example("main", w.text),
            },
        },
        w.POST "/api/v1/books/" {
            summary = "Add book", who = "reader", limit = "standard", can = "book.add", returns = { [201] = "Book" },
                run = run,
            description = "Adds one book.\n\nThe `isbn` is checked but not looked up.",
            body = w.object {
                { "title", w.doc("As printed on the cover.", w.example("It's <b>Solaris</b>", w.text { 1, 255 })) },
                { "isbn", w.optional(w.text { pattern = "^%d+$", max = 13, message = "Digits only." }) },
                { "copies", w.integer { 1, 100, default = 1 } },
                { "bought_at", w.nullable(w.datetime { example = 1737363600 }) },
                { "tags", w.list(w.text { max = 20 }, { max = 5, default = {} }) },
                { "size", w.optional(w.object { { "width", w.number { min = 0 } }, { "height",
                    w.number { min = 0 } } }) },
                { "labels", w.optional(w.map(w.text)) },
                { "extra", w.optional(w.any) },
            },
            errors = { [409] = "The title is there already." },
        },
        w.GET "/api/v1/books/{id}/" {
            summary = "Get book", who = "reader", limit = "standard", params = { id = w.id },
                returns = { [200] = "Book" }, run = run,
        },
        w.PATCH "/api/v1/books/{id}/" {
            summary = "Change book", who = "reader", limit = "standard", params = { id = w.id },
                returns = { [200] = "Book" }, run = run,
            body = { title = w.optional(w.text { 1, 255 }), state = w.optional(w.nullable(w.one_of { "shelf",
                "lost" })) },
        },
        w.DELETE "/api/v1/books/{id}/" {
            summary = "Remove book", who = "reader", limit = "standard", params = { id = w.id },
                returns = { [204] = "none" }, run = run,
        },
        w.POST "/api/v1/books/{id}/lend/" {
            summary = "Lend book", who = "reader", limit = "standard", params = { id = w.id }, run = run,
            body = { reader = w.email, days = w.integer { 1, 60, default = 14 } },
            returns = { [200] = "Book" }, errors = { [409] = "The book is lent <already>." },
        },
    }
end

local function other_routes(w)
    return {
        name = "account", summary = "Sign in and reports.",
        w.POST "/api/v1/account/login/" {
            summary = "Log in", who = "anyone", limit = "auth", secret = true, run = run,
            body = { email = w.email { max = 254 }, password = w.text { 8, 128, trim = false,
                example = "correct horse" } },
            returns = { [200] = w.object { { "token", w.text { example = "eyJhbGciOiJIUzI1NiJ9.e30.…" } } } },
            errors = { [401] = "Wrong address or password." },
        },
        w.GET "/api/v1/account/profile/" {
            summary = "Own profile", who = "reader", run = run,
            returns = { [200] = w.object { { "timezone", w.timezone }, { "active", w.boolean } } },
        },
        w.GET "/api/v1/account/export/" { summary = "Export", who = "reader", run = run, returns = { [200] = "file" } },
        w.GET "/api/v2/account/card/" { summary = "Card", who = "anyone", run = run, returns = { [200] = "html" } },
    }
end

return function(w)
    return {
        name = "library", title = "Library <API>", version = "1.4", summary = "Books, shelves and who has them.",
        hosts = { "api.library.example", "library.localhost" }, prefixes = { "/api/v1", "/api/v2" },
            trailing_slash = true,
        codes = { [400] = "INVALID", [401] = "NO_TOKEN", [403] = "DENIED", [404] = "NOT_FOUND", [409] = "CONFLICT",
            [429] = "SLOW_DOWN" },
        envelope = function(e)
            return { error = { code = e.code, message = e.message, details = e.details } }
        end,
        principals = { reader = run }, rules = { ["book.add"] = run },
        limits = { standard = { count = 100, seconds = 60, per = "reader" }, auth = { count = 10, seconds = 3600,
            per = "address" } },
        models = models(w), units = { other_routes(w), book_routes(w) },
    }
end
