-- SPDX-License-Identifier: Apache-2.0
--
-- The names of things: a prefix that says what it is and random characters, which clients must not parse (PF-17).
local ids = { LENGTH = 20 }

function ids.new(prefix)
    return prefix .. "_" .. crypto.random(ids.LENGTH)
end

--- The type of a name in a path, a query or a body; an unknown one is not malformed.
function ids.type(example)
    return text { 1, 100, example = example }
end

return ids
