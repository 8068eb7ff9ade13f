-- SPDX-License-Identifier: Apache-2.0
--
-- Busted's output as lines of JSON for whoever started the run: a test begins, a test has ended. Called with the host
-- and json; returns the output handler.
return function(host, json)
    return function()
        local busted = require "busted"
        local handler = require "busted.outputHandlers.base"()

        -- A place as scripts know it: from the folder of the apps on.
        local function place_of(trace)
            if not trace or not trace.short_src then
                return nil
            end
            local file = trace.source and trace.source:match "^@(.*)$" or trace.short_src
            if file:sub(1, #host.scripts + 1) == host.scripts .. "/" then
                file = file:sub(#host.scripts + 2)
            end
            return file:gsub("^%./", "") .. ":" .. (trace.currentline or 0)
        end

        local function file_of(element)
            while element and element.descriptor ~= "file" do
                element = busted.parent(element)
            end
            return element and element.name
        end

        local function send(line)
            host.report(json.encode(line))
        end

        local function text_of(message)
            return type(message) == "string" and message or require("pl.pretty").write(message)
        end

        local function finish(element, status, found)
            local ms = element.duration and element.duration * 1000 or 0
            send {
                type = "end",
                name = handler.getFullName(element),
                file = file_of(element),
                status = status,
                ms = math.floor(ms),
                place = place_of(found and found.trace or element.trace) or "",
                message = found and text_of(found.message == nil and "no message" or found.message) or "",
            }
        end

        function handler.testStart(element)
            send { type = "begin", name = handler.getFullName(element), file = file_of(element) }
            return nil, true
        end

        function handler.testEnd(element, _, status)
            local found
            if status == "failure" then
                found = handler.failures[#handler.failures]
            elseif status == "error" then
                found = handler.errors[#handler.errors]
            elseif status == "pending" then
                found = handler.pendings[#handler.pendings]
                found = type(found.message) == "string" and found or nil
            end
            finish(element, status, found)
            return nil, true
        end

        -- A file that cannot be read, a describe or a setup that fails.
        function handler.otherFailure(element)
            if element.descriptor ~= "it" then
                finish(element, "error", handler.errors[#handler.errors])
            end
            return nil, true
        end

        busted.subscribe({ "test", "start" }, handler.testStart, { predicate = handler.cancelOnPending })
        busted.subscribe({ "test", "end" }, handler.testEnd, { predicate = handler.cancelOnPending })
        busted.subscribe({ "error" }, handler.otherFailure)
        busted.subscribe({ "failure" }, handler.otherFailure)
        return handler
    end
end
