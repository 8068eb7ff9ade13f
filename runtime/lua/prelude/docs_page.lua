-- SPDX-License-Identifier: Apache-2.0
--
-- The docs page: one HTML file with everything inside, so that it works without a network. All text of the document
-- goes through `html`, which escapes every value unless the template says {!name}; those are pieces made here. Called
-- with the host's table; returns page(document, opts) → HTML.
--
--   opts   order = the second result of openapi(); openapi_url = where the document itself is ("?format=openapi")
local host = ...
local kit = host.load "kit" ()
local new_sample = host.load "docs_sample" (kit, host)
local fields = host.load "docs_fields" (kit, host)
local assets = host.load "docs_assets" ()
local html, join, prose = fields.html, fields.join, fields.prose

local SPANS = {
    [1] = "second", [60] = "minute", [3600] = "hour", [86400] = "day",
}

local function code_panel(title, content)
    return html([[<div class="code"><div class="bar"><span>{title}</span>
<button type="button" class="copy">Copy</button></div>
<pre tabindex="0"><code>{!content}</code></pre></div>]], { title = title, content = content })
end

local function limit_text(limit)
    local span = SPANS[limit.seconds] or string.format("%d s", limit.seconds)
    return string.format("%d/%s per %s", limit.count, span, limit.per or "user")
end

-- ---- one operation ------------------------------------------------------------------------------------------------

local function chips(operation)
    local list = {}
    local function add(class, text)
        list[#list + 1] = html('<span class="chip {class}">{text}</span>', { class = class, text = text })
    end
    add(operation.security[1] and "lock" or "open", operation.security[1] and "Bearer token" or "Public")
    if operation["x-websocket"] then
        add("quiet", "WebSocket")
    end
    if operation["x-rate-limit"] then
        add("limit", limit_text(operation["x-rate-limit"]))
    end
    for _, parameter in ipairs(operation.parameters or {}) do
        if parameter["$ref"] then
            local names = { IdempotencyKey = "Idempotency-Key", IfNoneMatch = "ETag" }
            add("quiet", names[parameter["$ref"]:match("[^/]+$")] or "header")
        end
    end
    return join(list)
end

local function parameter_part(sample, operation, place, title)
    local rows = {}
    for _, parameter in ipairs(operation.parameters or {}) do
        if parameter["in"] == place then
            local schema, text = parameter.schema, parameter.description
            rows[#rows + 1] = fields.row(sample, parameter.name, schema, parameter.required, text)
        end
    end
    if not rows[1] then
        return ""
    end
    return html('<h4>{title}</h4><div class="fields">{!rows}</div>', { title = title, rows = join(rows) })
end

local function body_part(sample, operation)
    if not operation.requestBody then
        return ""
    end
    local content = operation.requestBody.content
    local form = content["application/x-www-form-urlencoded"] and " or application/x-www-form-urlencoded" or ""
    return html('<h4>Body <small>application/json{form}</small></h4><div class="fields">{!rows}</div>',
        { rows = fields.rows(sample, content["application/json"].schema), form = form })
end

local function response_of(document, response)
    local name = response["$ref"] and response["$ref"]:match("[^/]+$")
    return name and document.components.responses[name] or response
end

local function content_note(response)
    local kind = next(response.content or {})
    return kind or "no content"
end

local function success_part(sample, status, response)
    local json = response.content and response.content["application/json"]
    if not json then
        return html('<div class="answer"><b class="st ok">{status}</b><span>{!text} <small>{kind}</small></span></div>',
            { status = status, text = prose(response.description), kind = content_note(response) })
    end
    local _, name = sample:resolve(json.schema)
    return html([[<details class="answer"><summary><b class="st ok">{status}</b>
<span>{!text} <small>{name}</small></span></summary>
<div class="fields">{!rows}</div></details>]], {
        status = status, text = prose(response.description), name = name or "application/json",
        rows = fields.rows(sample, json.schema),
    })
end

local function error_part(sample, status, response)
    local json = response.content and response.content["application/json"]
    local values = { status = status, text = prose(response.description) }
    if not json or json.example == nil then
        return html('<div class="answer"><b class="st">{status}</b><span>{!text}</span></div>', values)
    end
    values.example = fields.json(sample:encode(json.example, json.schema))
    return html([[<details class="answer"><summary><b class="st err">{status}</b><span>{!text}</span></summary>
<div class="code flat"><pre tabindex="0"><code>{!example}</code></pre></div></details>]], values)
end

local function responses_part(document, sample, operation)
    local rows = {}
    for _, status in ipairs(kit.sorted(operation.responses)) do
        local response = response_of(document, operation.responses[status])
        rows[#rows + 1] = (status < "300" and success_part or error_part)(sample, status, response)
    end
    return html("<h4>Answers</h4>{!rows}", { rows = join(rows) })
end

local function example_part(sample, item)
    local panels = { code_panel("Request", fields.shell(sample:curl(item))) }
    for _, status in ipairs(kit.sorted(item.operation.responses)) do
        local response = item.operation.responses[status]
        local json = status < "300" and response.content and response.content["application/json"]
        if json then
            panels[#panels + 1] = code_panel("Answer " .. status, fields.json(sample:json(json.schema)))
        end
    end
    return join(panels)
end

local function path_html(path)
    return (html("{path}", { path = path }):gsub("{[%w_]+}", '<em>%0</em>'))
end

local function operation_html(document, sample, item)
    local operation = item.operation
    return html([[<article id="{id}" data-find="{find}">
<header><h3><a href="#{id}">{summary}</a></h3>
<p class="route"><b class="m {class}">{method}</b><code>{!path}</code></p><p class="chips">{!chips}</p></header>
<div class="cols"><div class="spec">{!text}{!path_parameters}{!query}{!body}{!responses}{!messages}</div>
<div class="side">{!examples}</div></div></article>]], {
        id = operation.operationId, summary = operation.summary or operation.operationId, method = item.method,
        find = string.lower(table.concat({ item.method, item.path, operation.summary or "", operation.tags[1] }, " ")),
        class = item.method:lower(), path = path_html(item.path), chips = chips(operation),
        text = operation.description and prose(operation.description, "p") or "",
        path_parameters = parameter_part(sample, operation, "path", "Path"),
        query = parameter_part(sample, operation, "query", "Query"), body = body_part(sample, operation),
        responses = responses_part(document, sample, operation), messages = fields.messages(sample, operation),
        examples = example_part(sample, item),
    })
end

-- ---- the page -----------------------------------------------------------------------------------------------------

local function title_of(name)
    return (name:gsub("_", " "):gsub("^%l", string.upper))
end

-- Operations by tag, in the order of the tags.
local function groups_of(document, order)
    local list = order[document.paths]
    if not list then
        list = {}
        for _, path in ipairs(kit.sorted(document.paths)) do
            for _, method in ipairs(kit.sorted(document.paths[path])) do
                list[#list + 1] = { path = path, method = method:upper(), operation = document.paths[path][method] }
            end
        end
    end
    local groups = {}
    for i, tag in ipairs(document.tags) do
        groups[i] = { tag = tag, items = {} }
        for _, item in ipairs(list) do
            if item.operation.tags[1] == tag.name then
                table.insert(groups[i].items, item)
            end
        end
    end
    return groups
end

local function navigation(groups)
    local parts = {}
    for _, group in ipairs(groups) do
        local links = {}
        for i, item in ipairs(group.items) do
            links[i] = html('<a href="#{id}"><b class="m {class}">{method}</b><span>{summary}</span></a>', {
                id = item.operation.operationId, class = item.method:lower(), method = item.method,
                summary = item.operation.summary or item.path,
            })
        end
        parts[#parts + 1] = html('<section><h2><a href="#tag-{name}">{title}</a></h2>{!links}</section>',
            { name = group.tag.name, title = title_of(group.tag.name), links = join(links) })
    end
    return join(parts)
end

local function sections(document, sample, groups)
    local parts = {}
    for _, group in ipairs(groups) do
        local articles = {}
        for i, item in ipairs(group.items) do
            articles[i] = operation_html(document, sample, item)
        end
        parts[#parts + 1] = html([[<section class="tag" id="tag-{name}"><h2>{title}</h2>{!text}
{!articles}</section>]], {
            name = group.tag.name, title = title_of(group.tag.name), articles = join(articles),
            text = prose(group.tag.description or "", "p"),
        })
    end
    return join(parts)
end

local function limits_html(groups)
    local seen, rows = {}, {}
    for _, group in ipairs(groups) do
        for _, item in ipairs(group.items) do
            local limit = item.operation["x-rate-limit"]
            if limit and not seen[limit.name] then
                seen[limit.name] = true
                rows[#rows + 1] = html("<li><b>{name}</b> {text}</li>", { name = limit.name, text = limit_text(limit) })
            end
        end
    end
    return rows[1] and "<ul>" .. join(rows) .. "</ul>" or "<p>None.</p>"
end

local function introduction(document, sample, groups)
    local shared = document.components.responses
    local failure = shared.Error422 or shared.Error400 or shared[kit.sorted(shared)[1]]
    local json = failure and failure.content["application/json"]
    return html(assets.introduction, {
        limits = limits_html(groups),
        error = json and code_panel("An error", fields.json(sample:encode(json.example, json.schema))) or "",
    })
end

return function(document, opts)
    opts = opts or {}
    local sample = new_sample(document, opts.order)
    local groups = groups_of(document, opts.order or {})
    local servers = {}
    for i, server in ipairs(document.servers) do
        servers[i] = html("<code>{url}</code>", { url = server.url })
    end
    return html(assets.page, {
        css = assets.css, js = assets.js, title = document.info.title, version = document.info.version or "",
        text = prose(document.info.description or "", "p"), servers = join(servers, " "),
        openapi_url = opts.openapi_url or "?format=openapi", navigation = navigation(groups),
        introduction = introduction(document, sample, groups), sections = sections(document, sample, groups),
    })
end
