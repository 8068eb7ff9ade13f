-- SPDX-License-Identifier: Apache-2.0
local words = {}

function words.trim(text)
    return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

return words
