-- SPDX-License-Identifier: Apache-2.0
--
-- A Postman collection (format 2.1.0) made from an OpenAPI document, so that both say the same: a folder for each unit,
-- the address and the token as variables, an example body, and the documented answer beside each request. WebSockets
-- are not part of that format; the collection's description names them. Called with the host's table; returns
-- postman(document, opts) → collection.
--
--   opts   array = json.array; order = the second result of openapi()
local host = ...
local kit = host.load "kit" ()
local new_sample = host.load "docs_sample" (kit, host)

local SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
local HOW = "Set the variable baseUrl to the server and token to a token of this API. Every request sends the token " ..
    "but those that are open to anybody."

local Collection = {}

-- What a value looks like in an address.
local function as_text(value)
    if type(value) == "table" or value == nil or rawequal(value, host.null) then
        return ""
    end
    return tostring(value)
end

function Collection:resolve(parameter)
    local reference = parameter["$ref"]
    return reference and self.document.components.parameters[reference:match("[^/]+$")] or parameter
end

-- /tasks/{id}/ as segments, a parameter as ":id".
local function segments_of(path)
    local segments = {}
    for segment in (path:sub(2) .. "/"):gmatch("([^/]*)/") do
        segments[#segments + 1] = (segment:gsub("^{(.+)}$", ":%1"))
    end
    return segments
end

function Collection:url(item)
    local segments, variables, query, raw = segments_of(item.path), {}, {}, {}
    for _, written in ipairs(item.operation.parameters or {}) do
        local parameter = self:resolve(written)
        local place = parameter["in"]
        local entry = {
            key = parameter.name, description = parameter.description,
            value = place ~= "header" and as_text(self.sample:value(parameter.schema)) or nil,
        }
        if place == "path" then
            variables[#variables + 1] = entry
        elseif place == "query" then
            entry.disabled = not parameter.required or nil
            query[#query + 1] = entry
            raw[#raw + 1] = parameter.required and entry.key .. "=" .. entry.value or nil
        end
    end
    local text = "{{baseUrl}}/" .. table.concat(segments, "/") .. (raw[1] and "?" .. table.concat(raw, "&") or "")
    return {
        raw = text, host = self.array { "{{baseUrl}}" }, path = self.array(segments),
        variable = variables[1] and self.array(variables) or nil, query = query[1] and self.array(query) or nil,
    }
end

function Collection:headers(item)
    local list = {}
    for _, written in ipairs(item.operation.parameters or {}) do
        local parameter = self:resolve(written)
        if parameter["in"] == "header" then
            local value = parameter.name == "Idempotency-Key" and "{{$guid}}" or ""
            list[#list + 1] = {
                key = parameter.name, value = value, disabled = true, description = parameter.description,
            }
        end
    end
    if item.operation.requestBody then
        list[#list + 1] = { key = "Content-Type", value = "application/json" }
    end
    return self.array(list)
end

function Collection:request(item)
    local operation, body = item.operation, item.operation.requestBody
    return {
        method = item.method, url = self:url(item), header = self:headers(item),
        description = operation.description,
        auth = not operation.security[1] and { type = "noauth" } or nil,
        body = body and {
            mode = "raw", raw = self.sample:json(body.content["application/json"].schema, true),
            options = { raw = { language = "json" } },
        },
    }
end

-- The first documented success, if it is JSON or empty.
function Collection:answers(item, request)
    for _, status in ipairs(kit.sorted(item.operation.responses)) do
        local response = item.operation.responses[status]
        if status:find("^2") and not response["$ref"] then
            local json = (response.content or {})["application/json"]
            return self.array { {
                name = response.description, originalRequest = request, code = math.tointeger(tonumber(status)),
                status = response.description, _postman_previewlanguage = json and "json" or nil,
                header = self.array(json and { { key = "Content-Type", value = "application/json" } } or {}),
                body = json and self.sample:json(json.schema) or nil,
            } }
        end
    end
    return self.array {}
end

-- Folders in the order of the tags, and the sockets, which have no place in one.
function Collection:folders()
    local by_tag, sockets, folders = {}, {}, {}
    for _, item in ipairs(self.list) do
        local tag = item.operation.tags[1]
        if item.operation["x-websocket"] then
            sockets[#sockets + 1] = item.path
        else
            local request = self:request(item)
            by_tag[tag] = by_tag[tag] or {}
            table.insert(by_tag[tag], {
                name = item.operation.summary or item.path, request = request, response = self:answers(item, request),
            })
        end
    end
    for _, tag in ipairs(self.document.tags) do
        if by_tag[tag.name] then
            folders[#folders + 1] = {
                name = tag.name, description = tag.description, item = self.array(by_tag[tag.name]),
            }
        end
    end
    return folders, sockets
end

return function(document, opts)
    local collection = setmetatable({
        document = document, array = opts.array, sample = new_sample(document, opts.order),
        list = opts.order[document.paths],
    }, { __index = Collection })
    local folders, sockets = collection:folders()
    local about = { document.info.description or document.info.title, HOW }
    if sockets[1] then
        about[#about + 1] = "WebSockets, which a collection cannot hold: " .. table.concat(sockets, ", ") .. "."
    end
    local array = opts.array
    return {
        info = {
            name = document.info.title, version = document.info.version, schema = SCHEMA,
            description = table.concat(about, "\n\n"),
        },
        auth = { type = "bearer", bearer = array { { key = "token", value = "{{token}}", type = "string" } } },
        variable = array {
            { key = "baseUrl", value = (document.servers[1].url:gsub("/$", "")), type = "string" },
            { key = "token", value = "", type = "string" },
        },
        item = array(folders),
    }
end
