-- SPDX-License-Identifier: Apache-2.0
local html = require "lib.html"

describe("html", function()
    local function page(template, values)
        return html.template(template)(values)
    end

    it("escapes what could end a text or an attribute", function()
        assert.equal("&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;", html.escape [[<a href="x">'&amp;]])
        assert.equal('<p title="&quot;&gt;">&lt;b&gt;</p>',
            page('<p title="{{t}}">{{x}}</p>', { t = '">', x = "<b>" }))
        assert.equal("<p title='&#39; onclick=&#39;'></p>", page("<p title='{{t}}'></p>", { t = "' onclick='" }))
        assert.equal("7 ü🎉", page("{{n}} {{s}}", { n = 7, s = "ü🎉" }))
    end)

    it("leaves the text around alone", function()
        local text = "<!doctype html>\n<!-- a < b > { } -->\n<style>a { b: c }</style>1 < 2 { } <br/>" ..
            "<input disabled a=b>"
        assert.equal(text, page(text, {}))
    end)

    it("repeats, shows and hides sections", function()
        local list = html.template "{{#items}}<li>{{name}} of {{all}}</li>{{/items}}{{^items}}none{{/items}}"
        assert.equal("<li>&lt;1&gt; of 2</li><li>b of 2</li>",
            list { all = 2, items = { { name = "<1>" }, { name = "b" } } })
        assert.equal("none", list { items = {} })
        assert.equal("none", list {})
        assert.equal("yes", page("{{#on}}yes{{/on}}{{^on}}no{{/on}}", { on = true }))
        assert.equal("no", page("{{#on}}yes{{/on}}{{^on}}no{{/on}}", { on = false }))
        assert.equal("a1a2", page("{{#x}}{{#y}}{{p}}{{q}}{{/y}}{{/x}}",
            { x = { { p = "a", y = { { q = 1 }, { q = 2 } } } } }))
    end)

    it("lets no script into an address", function()
        local link = html.template '<a href="{{u}}">x</a>'
        for _, bad in ipairs { "javascript:alert(1)", " JavaScript:x", "\tjavascript:x", "data:text/html,x",
            "java\nscript:x", "\1javascript:x", "vbscript:x" } do
            assert.equal('<a href="about:invalid">x</a>', link { u = bad })
        end
        for _, good in ipairs { "https://a/b?c=d:e", "HTTP://a", "/a:b", "?a:b", "#a:b", "a/b:c", "" } do
            assert.equal('<a href="' .. good .. '">x</a>', link { u = good })
        end
        assert.equal('<a href="/x/a&amp;b">x</a>', page('<a href="/x/{{u}}">x</a>', { u = "a&b" }))
    end)

    it("refuses places where escaping is not enough", function()
        for template, why in pairs {
            ["<a href={{x}}>"] = "stands in a tag, outside of quotes", ["<a {{x}}>"] = "outside of quotes",
            ["<{{x}}>"] = "is the name of a tag", ["</{{x}}>"] = "is the name of a tag",
            ["<script>{{x}}</script>"] = "stands in a script or style", ["<STYLE>a{{x}}</STYLE>"] = "script or style",
            ["<!-- {{x}} -->"] = "stands in a comment", ['<p onclick="{{x}}">'] = "the attribute onclick",
            ['<p STYLE="{{x}}">'] = "the attribute style", ['<iframe srcdoc="{{x}}">'] = "the attribute srcdoc",
            ['<a href="java{{x}}">'] = "continues an address", ['<a href="{{x}}{{y}}">'] = "continues an address",
        } do
            assert.error_matches(function() html.template(template) end, why)
        end
        assert.equal("<script></script><p>&lt;</p>", page("<script></script><p>{{x}}</p>", { x = "<" }))
    end)

    it("refuses what is no template", function()
        for template, why in pairs {
            ["{{"] = "not a placeholder", ["{{{x}}}"] = "not a placeholder", ["{{& x}}"] = "not a placeholder",
            ["{{#x}}"] = "{{#x}} is not closed", ["{{/x}}"] = "closes nothing", ["{{#x}}{{/y}}"] = "is not closed by",
            ["{{#x}}<p{{/x}}>"] = "must begin and end in the same place",
        } do
            local ok, message = pcall(html.template, template)
            assert.is_false(ok)
            assert.is_truthy(message:find(why, 1, true), message)
        end
    end)

    it("raises for a missing value, which may be a misspelt name", function()
        assert.error_matches(function() page("{{x}}", {}) end, "{{x}} needs a text or a number, got nil")
        assert.error_matches(function() page("{{x}}", { x = {} }) end, "got table")
    end)
end)
