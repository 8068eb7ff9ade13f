-- SPDX-License-Identifier: Apache-2.0
--
-- The type of ids in requests and answers (FS-4).
local example = "9b2d7c4e-3f1a-4c8e-a6d5-0e7f1b2c3d4a"

return text {
    trim = false,
    pattern = "^" .. example:gsub("%x", "%%x"):gsub("-", "%%-") .. "$",
    regex = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    message = { pattern = "Enter a UUID." },
    example = example,
}
