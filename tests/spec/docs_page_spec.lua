-- SPDX-License-Identifier: Apache-2.0
-- The docs page of a made-up app, whose texts try to break out of it.
package.path = "./tests/spec/support/?.lua;" .. package.path
local prelude = require "prelude"
local sample_app = require "sample_app"

local declare = prelude.host.load "declare" (prelude.host)
local openapi = prelude.host.load "openapi" (prelude.host)
local docs_page = prelude.host.load "docs_page" (prelude.host)

local function page_of(change, opts)
    local manifest = sample_app(declare.words)
    if change then
        change(manifest, declare.words)
    end
    local doc, order = openapi(declare.normalise(manifest), { array = prelude.array, prefix = "/api/v1/" })
    opts = opts or { order = order }
    return docs_page(doc, opts), doc
end

local function has(text, part)
    return text:find(part, 1, true) ~= nil
end

-- The article of one operation.
local function article(page, id)
    local from = assert(page:find('<article id="' .. id .. '"', 1, true), id)
    return page:sub(from, (page:find("</article>", from, true)))
end

describe("docs page", function()
    local page
    setup(function() page = page_of() end)

    it("needs nothing from elsewhere", function()
        for _, part in ipairs { "src=", "@import", "url(", "<link rel=\"stylesheet\"", "fetch(", "XMLHttpRequest" } do
            assert.is_false(has(page, part), part)
        end
        for address in page:gmatch('href="([^"]*)"') do
            assert.truthy(address:find("^#") or address:find("^%?format=%l+$") or address == "data:,",
                address)
        end
    end)

    it("fits a phone and both colour schemes", function()
        assert.is_true(has(page, 'name="viewport"'))
        assert.is_true(has(page, "prefers-color-scheme:dark"))
        assert.is_true(has(page, "@media(max-width:820px)"))
    end)

    it("has a link in the list for each operation", function()
        local links, articles = 0, 0
        for id in page:gmatch('<article id="([^"]+)"') do
            articles = articles + 1
            links = links + (has(page, '<a href="#' .. id .. '"><b class="m') and 1 or 0)
        end
        assert.equal(9, articles)
        assert.equal(9, links)
    end)

    it("shows operations in declared order", function()
        assert.is_true(page:find('<article id="account_login"', 1, true) < page:find('<article id="books_list"', 1,
            true))
        assert.is_true(page:find('<article id="books_list"', 1, true) < page:find('<article id="books_create"', 1,
            true))
    end)

    it("shows method, path, token and limit", function()
        local text = article(page, "books_get")
        assert.is_true(has(text, '<b class="m get">GET</b><code>/api/v1/books/<em>{id}</em>/</code>'))
        assert.is_true(has(text, "Bearer token"))
        assert.is_true(has(text, "100/minute per reader"))
        assert.is_true(has(article(page, "account_login"), '<span class="chip open">Public</span>'))
        assert.is_true(has(article(page, "account_login"), "10/hour per address"))
    end)

    it("shows fields with types, limits, defaults and choices", function()
        local text = article(page, "books_create")
        assert.is_true(has(text, "1–255 characters"))
        assert.is_true(has(text, "1–100 · default 1"))
        assert.is_true(has(text, "date-time or null"))
        assert.is_true(has(text, "list of string"))
        assert.is_true(has(text, "default []"))
        assert.is_true(has(text, "map of string"))
        assert.is_true(has(article(page, "books_list"), "<code>lent</code>"))
    end)

    it("shows a command that can be pasted", function()
        local text = article(page, "books_create")
        assert.is_true(has(text, "-X POST"))
        assert.is_true(has(text, "https://api.library.example/api/v1/books/"))
        assert.is_true(has(text, "Authorization: Bearer <i class=\"n\">$TOKEN</i>"))
        assert.is_true(has(text, "It&#39;\\&#39;&#39;s"),
            "a quote in the body ends the shell's string and begins another")
        assert.is_true(has(article(page, "books_get"), "/api/v1/books/1/ \\"))
        assert.is_true(has(article(page, "books_list"), "?library=main"))
    end)

    it("shows an answer made of the examples, in declared order, and ends a model that holds itself", function()
        local text = article(page, "books_get"):gsub("<[^>]+>", "")
        local from = assert(text:find("The Left Hand of Darkness", 1, true))
        assert.is_true(text:find("&quot;id&quot;: 17", 1, true) < from)
        assert.is_true(has(text, "&quot;neighbour&quot;: null"))
    end)

    it("shows the errors with an example", function()
        local text = article(page, "books_create")
        assert.is_true(has(text, "The title is there already."))
        assert.is_true(has(text, "CONFLICT"))
    end)

    it("works without the declared order", function()
        local sorted = page_of(nil, {})
        assert.is_true(sorted:find('<article id="books_list"', 1, true) ~= nil)
    end)
end)

describe("escaping", function()
    local EVIL = [[</script></style><img src=x onerror="alert(1)">{title}'&]]

    it("lets no text of the document become markup", function()
        local clean = page_of()
        local page = page_of(function(manifest, w)
            manifest.title, manifest.summary, manifest.version = EVIL, EVIL .. "\n\n" .. EVIL, EVIL
            manifest.models.Book.fields[2].type = w.example(EVIL, w.doc(EVIL, w.text))
            local unit = manifest.units[2]
            unit.summary = EVIL
            unit[#unit + 1] = w.POST "/api/v1/books/evil/" {
                summary = EVIL, description = EVIL .. "`" .. EVIL .. "`", who = "anyone", run = function() end,
                body = { ["<field>"] = w.one_of { EVIL, default = EVIL }, ["a\"b"] = w.text { message = EVIL,
                    pattern = ".", example = EVIL } },
                query = { ["<q>"] = w.doc(EVIL, w.example(EVIL, w.text)) },
                returns = { [200] = "Book" }, errors = { [409] = EVIL },
            }
        end)
        assert.is_false(has(page, "<img"))
        assert.is_false(has(page, "onerror=\""))
        assert.is_false(has(page, "<field>"))
        assert.is_false(has(page, "<q>"))
        for _, tag in ipairs { "</script>", "</style>", "<script>", "<style>" } do
            local _, before = clean:gsub(tag, "")
            local _, after = page:gsub(tag, "")
            assert.equal(before, after, tag)
        end
        assert.is_true(has(page, "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;{title}&#39;&amp;"))
    end)

    it("escapes the address of the document", function()
        local page = page_of(nil, { openapi_url = [["><b>]] })
        assert.is_true(has(page, 'href="&quot;&gt;&lt;b&gt;"'))
    end)

    it("names a template value that is missing", function()
        local kit = prelude.host.load "kit" ()
        local fields = prelude.host.load "docs_fields" (kit, prelude.host)
        assert.has_error(function() fields.html("<p>{nothing}</p>", {}) end, "docs page: no value for {nothing}")
    end)
end)
