-- SPDX-License-Identifier: Apache-2.0
local MAX = 5

return {
    ["note.see"] = function(user, req)
        return user.id == req.user.id and MAX > 0
    end,
}
