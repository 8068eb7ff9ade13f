-- SPDX-License-Identifier: Apache-2.0
return {
    ["note.fade"] = function(_, args)
        db.transaction(function(tx)
            tx.run("UPDATE notes SET stars = stars - 1 WHERE id = ? AND stars > 0", args.id)
        end)
    end,
}
